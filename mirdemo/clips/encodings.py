"""In which encoding was a text written? A hypothesis, judged by what it would make of the text.

Spreadsheets and zip programs write bytes in the encoding of their machine and do not say which. Each candidate is judged
by the characters that it gives: letters that its languages use, in words of one script, speak for it; symbols within words,
private-use characters, half-width signs among whole words and a single ideograph among Latin letters speak against it. Names
that must be found among files that are there settle it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import AnyStr

#: The letters beyond ASCII that languages write, in lower case. A text is mostly in one of them.
_LANGUAGES = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôœùûüÿ",
    "Spanish": "áéíñóúü",
    "Portuguese": "áâãàçéêíóôõú",
    "Italian": "àèéìíîòóù",
    "Catalan": "àçèéíïòóúü",
    "Dutch": "éèëïóöüê",
    "Swedish, Finnish": "åäöé",
    "Danish, Norwegian": "æøåéóòô",
    "Icelandic, Faroese": "áðéíóúýþæöø",
    "Turkish": "çğıİöşüâîû",
    "Polish": "ąćęłńóśźż",
    "Czech": "áčďéěíňóřšťúůýž",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Hungarian": "áéíóöőúüű",
    "Romanian": "ăâîşţ",
    "Croatian, Slovene": "čćđšž",
    "Lithuanian": "ąčęėįšųūž",
    "Latvian": "āčēģīķļņšūž",
    "Estonian": "äöõüšž",
    "Vietnamese": "àáâãèéêìíòóôõùúýăđĩũơư\u0300\u0301\u0303\u0309\u0323",
    "Russian": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
    "Ukrainian": "абвгдежзийклмнопрстуфхцчшщьюяєіїґ",
    "Serbian": "абвгдђежзијклљмнњопрстћуфхцчџш",
    "Greek": "αβγδεζηθικλμνξοπρςστυφχψωάέήίόύώϊϋΐΰ",
    "Hebrew": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
}
_WEST = ("German", "French", "Spanish", "Portuguese", "Italian", "Catalan", "Dutch", "Swedish, Finnish")
_NORTH = ("Danish, Norwegian", "Icelandic, Faroese")
_EAST = ("Polish", "Czech", "Slovak", "Hungarian", "Romanian", "Croatian, Slovene", "German")
_BALTIC = ("Lithuanian", "Latvian", "Estonian", "German", "Polish")
_CYRILLICS = ("Russian", "Ukrainian", "Serbian")

#: Candidates in order of preference, and the languages that are written in them; those of one script of their own have none.
_WRITES: dict[str, tuple[str, ...]] = {
    "cp932": (),
    "cp1252": (*_WEST, *_NORTH, "Estonian"),
    "cp1254": ("Turkish", *_WEST),
    "cp1250": _EAST,
    "cp1257": _BALTIC,
    "cp1251": _CYRILLICS,
    "cp1253": ("Greek",),
    "gb18030": (),
    "big5": (),
    "cp949": (),
    "euc_jp": (),
    "cp1256": (),
    "cp1255": (),
    "cp874": (),
    "cp1258": ("Vietnamese", "French"),
    "iso8859_2": _EAST,
    "iso8859_15": (*_WEST, *_NORTH, "Estonian"),
    "koi8_r": ("Russian",),
    "mac_roman": (*_WEST, *_NORTH),
    "cp850": (*_WEST, *_NORTH),
    "cp852": _EAST,
    "cp857": ("Turkish", *_WEST),
    "cp866": ("Russian", "Ukrainian"),
    "cp737": ("Greek",),
    "cp775": _BALTIC,
    "cp862": ("Hebrew",),
    "cp437": ("German", "French", "Spanish", "Italian", "Dutch", "Swedish, Finnish"),
}
#: Written by spreadsheets alone: Macs write UTF-8 into zips. Those of DOS are written by zip programs, and by Excel as "CSV
#: (MS-DOS)".
_NOT_OF_ZIPS = frozenset({"mac_roman", "iso8859_2", "iso8859_15", "koi8_r", "cp1258"})
#: Seldom met in spreadsheets.
_SELDOM = {
    **dict.fromkeys(("cp850", "cp852", "cp857", "cp866", "cp737", "cp775", "cp862"), 0.25),
    "cp437": 0.3,
    "mac_roman": 0.25,
    "iso8859_2": 0.15,
    "iso8859_15": 0.15,
    "koi8_r": 0.1,
    "cp1257": 0.1,
    "cp1258": 0.1,
}
_LETTERS = {
    codec: "".join(
        {c: None for one in languages for c in _LANGUAGES[one] + _LANGUAGES[one].upper() if not c.isascii()}
    )
    for codec, languages in _WRITES.items()
}
_PUNCTUATION = "“”„‘’‚«»‹›–—…•·°´`¡¿€£§№º ¥・、。「」『』（）！？：；，～ー〜々〆ヶ×"
_SCRIPTS = {
    "cp1256": re.compile("[\u0600-\u06ff\u200c\u200d]"),
    "cp1255": re.compile("[\u0590-\u05ff]"),
    "cp874": re.compile("[\u0e00-\u0e7f]"),
    "gb18030": re.compile("[\u4e00-\u9fff]"),
    "big5": re.compile("[\u4e00-\u9fff]"),
    "cp949": re.compile("[\uac00-\ud7a3]"),
    "cp932": re.compile("[\u3041-\u30ff\u4e00-\u9fff\uff10-\uff5a\u3005]"),
    "euc_jp": re.compile("[\u3041-\u30ff\u4e00-\u9fff\uff10-\uff5a\u3005]"),
}
_KANA = re.compile("[\u3041-\u30ff]")
_HALF_KANA = re.compile("[\uff61-\uff9f]")
_WIDE = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff61-\uff9f]")
_LATIN = re.compile("[A-Za-zÀ-ɏ]")
#: An ideograph within a word of small letters is an umlaut or accent and the letter behind it.
_AMONG_LETTERS = re.compile("[A-Za-z][\u3400-\u9fff\uac00-\ud7a3][a-z]")
_OTHER = re.compile("[\u0370-\u10ff]")  # alphabets that never stand among Latin letters
#: Thai vowels and tones stand behind a consonant, never at the beginning of a word, and of vowels above and below only one.
_NOT_THAI = re.compile(
    "(?:^|[^\u0e01-\u0e2e\u0e30-\u0e4e])[\u0e30-\u0e3a\u0e47-\u0e4e]|[\u0e31\u0e34-\u0e3a][\u0e31\u0e34-\u0e3a\u0e4d]",
    re.MULTILINE,
)
_THAI = re.compile("[\u0e01-\u0e2e][\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
#: Thai letters and signs that hardly any word has.
_RARE_THAI = "ฃฅฌฎฏฐฑฒฦฬฮฯๅ\u0e4e\u0e4f๚๛"
_CYRILLIC = re.compile("[\u0400-\u04ff]+")
#: Syllables that make up most of what is written in Korean; misread Chinese and Japanese has others.
_KOREAN = frozenset(
    "가각간갈감강개거건걸검것게겨격결경계고곡골공과관광교구국군굿권귀규그극근금급기길김나난날남내너네년노녹놀농뇌누뉴는늘"
    "니다단달담당대더덕데도독돌동되두둥드든들등디라락란람랑래량러런레려력련령로록론료루류르른를름리린림립마만말맘맛망매머먹면명모목몰몽무묵문물"
    "미민밀바박반발밤방배백버번벌범법베벽변별병보복본볼봄봉부북분불브비빈빛사산살삼상새색생서석선설섬성세셔소속손솔송쇠수숙순술숨"
    "쉬스슬습승시식신실심쓰아악안알암압앙애야약양어언얼엄업에엔여역연열염영예오옥온올옹와완왕외요용우운울웃원월위유육윤율으은을음읍의이"
    "인일임입자작잔잡장재저적전절점정제조족존종좌주준줄중즈즉증지직진질집짜짝차착찬찰창채책처천철청체초촌총최추축춘출춤충취치칠침카커코"
    "크클키타탄탈탑탕태터토통투트특티파판팔패편평포표풍프피필하학한할함합항해핵향허현협형혜호혼홀홍화확환활황회효후훈휘흐흑흥희히힘"
)
#: Ideographs of everyday words and of music, as they are written in Japan and in China.
_JAPANESE = frozenset(
    "日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞"
    "食車何南万毎白天母火右読友左休父雨音楽歌踊舞太鼓笛鉦鈴琴箏祭神囃獅尺篠三味線琵琶笙民謡唄声曲調節拍打吹弾奏演伴能狂言雅歌伎"
    "浄瑠璃盆追分節馬海船田植正春夏秋冬風花鳥雪夜朝昔村町寺社獅剣鬼道場館会部京都江戸阿波徳島岩手青森秋津軽沖縄熊本佐賀長崎広福岡"
    "島石根取岐阜滋静愛知新潟富井梨野群馬栃木茨城埼玉葉神奈録男女老若早速遅静強弱低独重合唱団師匠手足拳腰竹管弦絃皮胴締大小鐘"
)
_CHINESE = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没"
    "日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点"
    "月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内"
    "音乐歌舞曲笛鼓锣琴筝胡弦箫笙唢呐琵琶阮钹铃钟磬埙板快慢强弱男女童独合唱奏戏剧京昆越粤秦腔民谣山花灯秧龙狮节庆春夏秋冬风雨雪月江河湖"
)
_CYRILLIC_VOWEL = re.compile("[аеёиоуыэюяіїєАЕЁИОУЫЭЮЯІЇЄ]")
#: Encodings in seven bits say themselves what they are: Japanese, Korean, Chinese.
_SEVEN_BITS = (
    (re.compile(rb"\x1b\$[@B]"), "iso2022_jp"),
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}"), "hz"),
)
_UTF7_RUN = re.compile(rb"\+([A-Za-z0-9/+]+)")
#: As people write words, and as letters of Latin alphabets and kana never look in UTF-7.
_WORD = re.compile(rb"[A-Za-z][a-z]+|[U-Z][A-Z]+")
_WITHIN = "’‘'·`´"  # signs that stand within words
_UTF8 = "utf-8"
#: So many lines are judged, evenly taken from all, or twice as many; longer ones, which programs write, in parts.
_LOOKED_AT, _LONG = 300, 500
#: Where a line is parted: no sign of several bytes has these among them in any encoding here.
_BETWEEN = re.compile(rb"[\t \",;]+")
#: A judgement below this is no reading at all.
_WORST = -1.0
#: What it costs a reading if its letters are of no one language.
_OF_ONE_LANGUAGE = 0.5
#: A reading is in doubt if another one falls short of it by no more than this; then those within ``_NEAR`` are offered.
_IN_DOUBT, _NEAR, _MOST_OTHERS = 0.5, 0.7, 12
#: So is one that is judged below this, whatever else there is.
_BADLY = 0.2
#: So is one of a few words that may be UTF-8 with a broken byte: but where names of files are found by it, which counts so much.
_FEW_WORDS, _SETTLED = 3, 2.0
#: Bytes that are no UTF-8, as Python stands in for them: one that is broken parts a sign in two.
_BROKEN_PLACE = re.compile("[\udc80-\udcff]+(?:[\\0-\x7f]?[\udc80-\udcff]+)*")
#: Signs that are none in UTF-8 are rather shown as such than taken for letters that nobody writes.
_BROKEN = -0.9


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was taken for ("utf-8" where that is sure), and others that would read as well, best first.

    Bytes that are no letter of an encoding that is told for sure stand as U+FFFD."""

    text: str
    encoding: str
    others: tuple[str, ...] = ()


def decode(data: bytes, names: Collection[str] = (), sheet: bool = True) -> Decoded | None:
    """The text of these bytes, None if no encoding makes text of them.

    names: of files, some of which the text should name
    sheet: whether it comes from a spreadsheet; else from a zip's directory, which DOS programs write too
    """
    marked = _marked(data, names)
    if marked is not None:
        return marked
    lines = _some(
        part
        for line in re.split(rb"[\r\n]+", data)
        for part in (_BETWEEN.split(line) if len(line) > _LONG else (line,))
    )
    wanted = {_key(name) for name in names}
    found = []
    for preference, encoding in enumerate((_UTF8, *_LETTERS)):
        if not sheet and encoding in _NOT_OF_ZIPS:
            continue
        broken = "replace" if encoding == _UTF8 else "strict"
        try:
            text = data.decode(encoding, broken)
            shown = [line.decode(encoding, broken)[:_LONG] for line in lines]
        except UnicodeDecodeError:
            continue
        verdict = _of_utf8(shown) if encoding == _UTF8 else judge(encoding, shown)
        if sheet:
            verdict -= _SELDOM.get(encoding, 0.0)
        if wanted:
            cells = {_key(cell) for line in shown for cell in re.split(r"[,;\t|\"/\\]", line)}
            verdict += 0.1 * any(not name.isascii() and name in "\n".join(shown) for name in names)
            verdict += _SETTLED * any(not c.isascii() for c in cells & wanted)
        if verdict > _WORST:
            found.append((-verdict, preference, encoding, text))
    if not found:
        return None
    found.sort()
    best = found[0]
    if "\ufffd" in best[3]:  # its bytes are lost: it is told by the sign, and cannot be read anew
        return Decoded(best[3], best[2])
    badly = -best[0] < (_SETTLED if sheet and _may_be_broken(data, lines) else _BADLY)
    near = [one for one in found if (badly or one[0] <= max(best[0] + _NEAR, _NEAR)) and one[3] != best[3]]
    if not near or not (badly or near[0][0] <= max(best[0] + _IN_DOUBT, -_IN_DOUBT)):
        return Decoded(best[3], best[2])
    others = {one[3]: one[2] for one in reversed(near)}
    return Decoded(best[3], best[2], tuple(reversed(others.values()))[:_MOST_OTHERS])


def reread(text: str, was: str, now: str) -> str | None:
    """A text that was read in one encoding, read in another; None if its bytes are not known or make none."""
    try:
        return text.encode(was).decode(now)
    except (UnicodeError, LookupError):
        return None


def shown(encoding: str) -> str:
    """What people call an encoding."""
    return {"cp932": "Shift_JIS", "cp949": "Windows-949", "mac_roman": "Mac Roman", "koi8_r": "KOI8-R"}.get(
        encoding,
        f"Windows-{encoding[2:]}"
        if re.fullmatch("cp125.", encoding)
        else encoding.upper().replace("ISO", "ISO-").replace("_", "-"),
    )


def judge(encoding: str, lines: Sequence[str]) -> float:
    """How well these lines read, at most about 1: the mean over their characters beyond ASCII."""
    letters, script = set(_LETTERS[encoding]), _SCRIPTS.get(encoding)
    good = bad = 0.0
    text = "\n".join(lines)
    for word in re.findall(r"[^\s,;|\"/\\_.()\[\]\-]+", text):
        beyond = [c for c in word if not c.isascii()]
        if not beyond:
            continue
        latin, whole = bool(_LATIN.search(word)), len(beyond) > max(3, 0.65 * len(word))
        odd = bool((latin and _OTHER.search(word)) or (latin and whole and letters and script is None))
        odd |= any(one.islower() and other.isupper() for one, other in pairwise(word))
        odd |= len(word) > 2 and bool(_CYRILLIC.fullmatch(word)) and not _CYRILLIC_VOWEL.search(word)
        odd |= word[0] in "ъьыЪЬЫ"  # no word begins with these
        odd |= any(
            not second.isascii() and (first + second).isupper() and third.islower()
            for first, second, third in zip(word, word[1:], word[2:], strict=False)
        )
        half = bool(_HALF_KANA.search(word))
        for at, c in enumerate(word):
            if c.isascii():
                continue
            if c in letters:
                good, bad = good + (not odd), bad + odd
            elif script is not None and script.match(c):
                rare = _is_rare(encoding, c)
                wrong = odd or (rare and (latin or encoding != "cp932"))
                wrong |= encoding not in ("cp932", "euc_jp") and at > 0 and "a" <= word[at - 1] <= "z"
                wrong |= bool(_AMONG_LETTERS.search(word[max(at - 1, 0) : at + 2]))
                good, bad = good + (not wrong) * (1 - 0.4 * rare), bad + 1.5 * wrong
            elif encoding == "cp932" and half and len(beyond) == len(word) > 1 and not _is_mixed(word):
                good += 1
            elif c in _PUNCTUATION and (c in _WITHIN or not _is_within(word, at)):
                good += 0.3
            elif unicodedata.category(c) in ("Co", "Cn", "Cc") or c == "\ufffd":
                bad += 4
            else:
                bad += 1.5
    if not good + bad:
        return 0.0
    verdict = (good - bad) / (good + bad) - _OF_ONE_LANGUAGE * (1 - _in_one_language(encoding, text))
    if encoding in ("gb18030", "big5", "euc_jp", "cp932", "cp949"):
        verdict += _of_their_own(encoding, text)
    if encoding == "cp874":
        verdict += 0.4 if _THAI.search(text) and not _NOT_THAI.search(text) else -0.5
        verdict -= _share(text, _RARE_THAI, "\u0e00-\u0e7f") + 0.5 * ("\xa0" in text)
    if encoding == "cp1253" and not re.search("[άέήίόύώΐΰ]", text):
        verdict -= 0.1  # Greek words of several syllables carry an accent
    if encoding in ("cp1251", "koi8_r", "cp866"):
        verdict += 0.5 * (_share(text.lower(), "оеаинтср", "\u0400-\u04ff") - 0.4)
        verdict -= 0.2 * bool(re.search("[А-ЯЁ]{2}[а-яё]|[а-яё][А-ЯЁ]", text))
        verdict -= 0.1 * (bool(re.search("[А-ЯЁ]{2}", text)) and not re.search("[а-яё]", text))
        verdict += 0.4 * (_sung(text) - 0.5)
    if encoding in ("cp1253", "cp737"):
        verdict += 0.5 * (_share(text.lower(), "αοιετσνηάόίέή", "\u0370-\u03ff") - 0.4)
        verdict -= 0.4 * bool(re.search("ς[α-ώ]", text))  # this ends a word
    if encoding in ("cp1255", "cp862"):
        verdict += 0.5 * (_share(text, "יוהלאר", "\u0590-\u05ff") - 0.3)
        verdict -= 0.4 * bool(re.search("[ךםןףץ][א-ת]", text))  # these end a word
        verdict += 0.2 * (not re.search("[ךםןףץ][א-ת]|[\u05b0-\u05c3]", text))  # and few sheets have points
    if encoding == "cp1258" and not re.search("[\u0300\u0301\u0303\u0309\u0323]", text):
        verdict -= 0.3  # Vietnamese writes its tones as marks of their own there
    verdict -= 0.2 * ("\xa0" in text)  # a letter in many encodings; hardly anybody writes this blank
    return verdict + _which_latin(encoding, text)


def _of_utf8(lines: Sequence[str]) -> float:
    """How well lines read as UTF-8, U+FFFD where they are none: each byte that continues a sign speaks for it, as chance seldom
    has it, and what is none against it. Where all are, nothing reads better."""
    beyond = [c for line in lines for c in line if not c.isascii()]
    broken = 2 * beyond.count("\ufffd")
    continued = sum(len(c.encode()) - 1 for c in beyond if c != "\ufffd")
    return max((continued - broken) / (continued + broken), _BROKEN) if broken else 2.0


def _may_be_broken(data: bytes, lines: Sequence[bytes]) -> bool:
    """Whether a text of a few words beyond ASCII is UTF-8 but for one place: another encoding may give a letter there too."""
    words = {word for line in lines for word in _BETWEEN.split(line) if not word.isascii()}
    if len(words) > _FEW_WORDS:
        return False
    return len(_BROKEN_PLACE.findall(data.decode(errors="surrogateescape"))) == 1


def _some(parts: Iterable[AnyStr]) -> list[AnyStr]:
    """Unlike parts that have anything beyond ASCII, evenly taken."""
    found = list(dict.fromkeys(one for one in parts if not one.isascii()))
    return found[:: max(1, len(found) // _LOOKED_AT)]


def _utf7(data: bytes) -> Decoded | None:
    """Text in UTF-7, a guess: its signs are letters of one of the languages, every plus sign stands as it is written there, and
    not all that stands behind one may be words: ``drums+duo`` would end in an ideograph."""
    if all(_WORD.fullmatch(run) for run in _UTF7_RUN.findall(data)):
        return None
    with suppress(UnicodeError):
        text = data.decode("utf-7")
        lines = [word[:_LONG] for word in _some(text.split())]
        if max((judge(one, lines) for one in _LETTERS if _can_write(one, lines)), default=_WORST) > 0:
            return Decoded(text, "utf-7", ("ascii",))
    return None


def _can_write(encoding: str, lines: Sequence[str]) -> bool:
    try:
        return bool(lines) and "".join(lines).encode(encoding) is not None
    except UnicodeEncodeError:
        return False


def _in_one_language(encoding: str, text: str) -> float:
    """The share of the letters beyond ASCII that the one language has that fits best; 1 where there are none to tell by."""
    letters = Counter(
        c for c in text.lower() if not c.isascii() and (c.isalpha() or unicodedata.combining(c))
    )
    count = letters.total()
    shares = [sum(letters[c] for c in _LANGUAGES[one]) / count for one in _WRITES[encoding]] if count else []
    return max(shares, default=1.0)


def _is_mixed(word: str) -> bool:
    """Whether half-width and whole signs stand in one word."""
    return bool(_WIDE.search(_HALF_KANA.sub("", word)))


def _share(text: str, common: Collection[str], script: str) -> float:
    """The share of a script's letters that are its most common ones."""
    own = re.findall(f"[{script}]", text)
    return sum(c in common for c in own) / max(len(own), 1)


def _sung(text: str) -> float:
    """The share of Cyrillic words in small letters in which vowels alternate with consonants as people speak them."""
    words = [word for word in re.split("[^\u0400-\u04ff]+", text) if len(word) > 2]
    sung = [
        word[1:].islower()
        and 0.2 <= len(_CYRILLIC_VOWEL.findall(word)) / len(word) <= 0.65
        and not re.search(f"{_CYRILLIC_VOWEL.pattern}{{3}}", word)
        for word in words
    ]
    return sum(sung) / len(sung) if sung else 0.5


def _is_within(word: str, at: int) -> bool:
    return 0 < at < len(word) - 1 and word[at - 1].isalnum() and word[at + 1].isalnum()


def _is_rare(encoding: str, character: str) -> bool:
    """Whether everyday words of this encoding's language hardly have the character."""
    try:
        if (
            encoding == "cp932"
        ):  # the second level of JIS X 0208, from its later part on: where umlauts are read wrongly
            return character.encode("cp932")[0] >= 0xE0
        if encoding == "gb18030":
            return not character.encode("gb2312")
        if encoding == "cp949":
            return len(character.encode("euc_kr")) > 2  # the standard writes uncommon syllables in pieces
    except UnicodeEncodeError:
        return True
    return False


def _of_their_own(encoding: str, text: str) -> float:
    """What tells the encodings of East Asia apart: kana for the Japanese ones, everyday ideographs for the Chinese."""
    kana, wide = len(_KANA.findall(text)), len(_WIDE.findall(text))
    if encoding == "euc_jp" and not kana:
        return 0.2 * _share(text, _JAPANESE, "\u4e00-\u9fff") - 0.1
    if encoding in ("cp932", "euc_jp"):
        return 0.2 if kana else 0.0 if _HALF_KANA.search(text) else -0.1
    if encoding == "cp949":
        syllables = re.findall("[\uac00-\ud7a3]", text)
        everyday = sum(one in _KOREAN for one in syllables)
        return 0.1 if 2 * everyday >= len(syllables) else -0.6
    own = "gb2312" if encoding == "gb18030" else "big5"
    everyday = 0
    for c in re.findall("[\u4e00-\u9fff]", text):
        try:
            first = c.encode(own)[0]
        except UnicodeEncodeError:
            continue
        everyday += first < 0xD8 if own == "gb2312" else first < 0xC7
    common = 0.2 * _share(text, _CHINESE, "\u4e00-\u9fff") if own == "gb2312" else 0.1
    return (0.05 * everyday / max(wide, 1)) + common - 0.1 - (0.4 if kana else 0)


def _which_latin(encoding: str, text: str) -> float:
    """What tells Windows' encodings of Latin letters apart where all of them give letters.

    cp1252 and cp1254 differ in ð ý þ and ğ ı ş: Icelandic has eth within words and thorn at their beginning. Against
    cp1250: no language of cp1252 has ø or ò beside í, nor ends words in û or õ, as misread Czech and Hungarian do.
    """
    polish = re.search(r"\b[œŒ][^uidUID]", text)  # French has it before these
    if encoding in ("cp1252", "iso8859_15", "cp1254") and polish:
        return -0.3
    if encoding in ("cp1252", "iso8859_15"):
        verdict = 0.0
        if re.search("[ðýþÐÝÞ]", text):
            icelandic = bool(re.search("[áéíóúæ]", text, re.I)) and not re.search(r"\w[þÞ]", text)
            verdict += 0.1 if icelandic else -0.3
        mixed = re.search("[øòì]", text) and re.search("[áíýúšž]", text)
        hungarian = re.search(r"[õû](?:\W|$)", text, re.M)
        return verdict - 0.3 * bool(mixed) - 0.3 * bool(hungarian)
    if encoding == "cp1254" and re.search(r"[õû](?:\W|$)", text, re.M):
        return -0.3
    if encoding == "cp1254" and re.search("[ğışĞİŞ]", text) and re.search("[áíóúæ]", text):
        return -0.3
    return 0.0


def _marked(data: bytes, names: Collection[str]) -> Decoded | None:
    """Where the bytes say themselves what they are: a byte order mark, UTF-8 by its form, UTF-16 by its zeros."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            text = data.decode(encoding, "replace")
            return Decoded(text, encoding) if text.count("\ufffd") <= len(text) // 8 else None
    if data.isascii() and b"\0" not in data:
        for sign, encoding in _SEVEN_BITS:
            if sign.search(data):
                with suppress(UnicodeDecodeError):
                    return Decoded(data.decode(encoding), encoding)
        plain = Decoded(data.decode("ascii"), _UTF8)
        there = any("+" in name and name in plain.text for name in names)
        return plain if b"+" not in data or there else (_utf7(data) or plain)
    if b"\0" in data:
        even, odd = data[::2].count(0), data[1::2].count(0)
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            return None
        odd_signs = sum(unicodedata.category(c) in ("Cc", "Cn", "Co") and c not in "\r\n\t" for c in text)
        return None if odd_signs or max(even, odd) < len(data) // 8 else Decoded(text, encoding)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if _is_by_chance(text) else Decoded(text, _UTF8)


def _is_by_chance(text: str) -> bool:
    """Whether a text that is UTF-8 by its form may be another encoding's letters: it has one sign alone beyond ASCII, which is of
    no script that we know, a word by itself, or among Latin letters without being one."""
    beyond = {c for c in text if not c.isascii()}
    sign = next(iter(beyond), "")
    if len(beyond) != 1 or unicodedata.category(sign)[0] == "S":
        return False
    latin = unicodedata.normalize("NFKD", sign)[0].isascii() or not sign.isalpha()
    known = latin or _WIDE.match(sign) or any(sign.lower() in letters for letters in _LANGUAGES.values())
    known = known or any(script.match(sign) for script in _SCRIPTS.values())
    known = known and unicodedata.category(sign)[0] != "M"
    alone = rf"(?:^|[\W_]){sign}(?:$|[\W_])" if latin else f"[A-Za-z]{sign}[a-z]"
    return not known or bool(re.search(alone, text))


def _key(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()
