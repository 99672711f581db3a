"""In which encoding was a text written? A hypothesis, judged by what it would make of the text.

Spreadsheets and zip programs write bytes in the encoding of their machine and do not say which. Each candidate is judged
by the characters that it gives: letters that its languages use, in words of one script, speak for it; symbols within words,
private-use characters, half-width signs among whole words and a single ideograph among Latin letters speak against it. Names
that must be found among files that are there settle it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

_PUNCTUATION = "“”„‘’‚«»‹›–—…•·°´`¡¿€£§№º ¥・、。「」『』（）！？：；，～ー〜々〆ヶ×"
_LATIN_1 = "äöüßéèêëàâáãåçñíìîïóòôõøúùûæœÄÖÜÉÈÊÀÂÁÃÅÇÑÍÓÕØÚÆŒ"

#: Candidates in order of preference: codec -> the letters beyond ASCII that its languages write.
_LETTERS: dict[str, str] = {
    "cp932": "",
    "cp1252": _LATIN_1 + "ýÝðÐþÞŸÿŠšŽžÎÔÛËÏÌÙ",
    "cp1254": "çğıöşüÇĞİÖŞÜâîûÂÎÛé",
    "cp1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽäöüőűÖÜŐŰßľĺŕôđĐăâîşţĂÂÎŞŢë",
    "cp1251": "абвгдежзийклмнопрстуфхцчшщъыьэюяёАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁіїєґІЇЄҐўЎђјљњћџЂЈЉЊЋЏ",
    "cp1253": "αβγδεζηθικλμνξοπρςστυφχψωάέήίόύώϊϋΐΰΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏ",
    "gb18030": "",
    "big5": "",
    "cp949": "",
    "euc_jp": "",
    "cp1256": "",
    "cp1255": "",
    "cp874": "",
    "mac_roman": _LATIN_1,
    "cp850": _LATIN_1,
    "cp866": "абвгдежзийклмнопрстуфхцчшщъыьэюяёАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁ",
    "cp437": "äöüßéèêëàâåçñíìîïóòôúùûæÄÖÜÉÅÇÑÆ",
}
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
_OTHER = re.compile("[\u0370-\u10ff]")  # alphabets that never stand among Latin letters
#: Thai vowels and tones stand behind a consonant, never at the beginning of a word.
_NOT_THAI = re.compile("(?:^|[^\u0e01-\u0e2e\u0e30-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
_THAI = re.compile("[\u0e01-\u0e2e][\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
_CYRILLIC = re.compile("[\u0400-\u04ff]+")
_CYRILLIC_VOWEL = re.compile("[аеёиоуыэюяіїєАЕЁИОУЫЭЮЯІЇЄ]")
_WITHIN = "’‘'·`´"  # signs that stand within words
#: So many lines are judged, evenly taken from all.
_LOOKED_AT = 300
#: A judgement below this is no reading at all.
_WORST = -1.0


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was taken for ("utf-8" where that is sure), and others that would read as well, best first."""

    text: str
    encoding: str
    others: tuple[str, ...] = ()


def decode(data: bytes, names: Collection[str] = (), sheet: bool = True) -> Decoded | None:
    """The text of these bytes, None if no encoding makes text of them.

    names: of files, some of which the text should name
    sheet: whether it comes from a spreadsheet; else from a zip's directory, which DOS programs write too
    """
    marked = _marked(data)
    if marked is not None:
        return marked
    lines = list(dict.fromkeys(line for line in re.split(rb"[\r\n]+", data) if not line.isascii()))
    lines = lines[:: max(1, len(lines) // _LOOKED_AT)]
    wanted = {_key(name) for name in names}
    found = []
    for preference, encoding in enumerate(_LETTERS):
        if (sheet and encoding in ("cp437", "cp866")) or (not sheet and encoding == "mac_roman"):
            continue  # Macs write UTF-8 into zips
        try:
            text = data.decode(encoding)
            shown = [line.decode(encoding) for line in lines]
        except UnicodeDecodeError:
            continue
        verdict = judge(encoding, shown)
        if sheet and encoding in ("cp850", "mac_roman"):
            verdict -= 0.25
        if wanted:
            cells = {_key(cell) for line in shown for cell in re.split(r"[,;\t|\"/\\]", line)}
            verdict += 2.0 * bool({c for c in cells & wanted if not c.isascii()})
        if verdict > _WORST:
            found.append((-verdict, preference, encoding, text))
    if not found:
        return None
    found.sort()
    best = found[0]
    others = tuple(one[2] for one in found[1:] if best[0] + 0.5 >= one[0] and one[3] != best[3])
    return Decoded(best[3], best[2], others)


def reread(text: str, was: str, now: str) -> str | None:
    """A text that was read in one encoding, read in another; None if its bytes are not known or make none."""
    try:
        return text.encode(was).decode(now)
    except (UnicodeError, LookupError):
        return None


def shown(encoding: str) -> str:
    """What people call an encoding."""
    return {"cp932": "Shift_JIS", "cp949": "Windows-949", "mac_roman": "Mac Roman"}.get(
        encoding, f"Windows-{encoding[2:]}" if re.fullmatch("cp125.", encoding) else encoding.upper()
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
        latin, whole = bool(_LATIN.search(word)), len(beyond) > max(2, 0.65 * len(word))
        odd = bool((latin and _OTHER.search(word)) or (latin and whole and letters and script is None))
        odd |= any(one.islower() and other.isupper() for one, other in pairwise(word))
        odd |= len(word) > 2 and bool(_CYRILLIC.fullmatch(word)) and not _CYRILLIC_VOWEL.search(word)
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
    verdict = (good - bad) / (good + bad)
    if encoding in ("gb18030", "big5", "euc_jp", "cp932", "cp949"):
        verdict += _of_their_own(encoding, text)
    if encoding == "cp874":
        verdict += 0.4 if _THAI.search(text) and not _NOT_THAI.search(text) else -0.5
    if encoding == "cp1253" and not re.search("[άέήίόύώΐΰ]", text):
        verdict -= 0.1  # Greek words of several syllables carry an accent
    if encoding == "cp1251" and re.search("[А-ЯЁ]{4}", text):
        verdict += 0.05
    return verdict + _which_latin(encoding, text)


def _is_mixed(word: str) -> bool:
    """Whether half-width and whole signs stand in one word."""
    return bool(_WIDE.search(_HALF_KANA.sub("", word)))


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
    if encoding in ("cp932", "euc_jp"):
        return 0.2 if kana else 0.0 if _HALF_KANA.search(text) else -0.1
    if encoding == "cp949":
        return 0.1
    own = "gb2312" if encoding == "gb18030" else "big5"
    everyday = 0
    for c in re.findall("[\u4e00-\u9fff]", text):
        try:
            first = c.encode(own)[0]
        except UnicodeEncodeError:
            continue
        everyday += first < 0xD8 if own == "gb2312" else first < 0xC7
    return (0.15 * everyday / max(wide, 1)) - 0.1 - (0.4 if kana else 0)


def _which_latin(encoding: str, text: str) -> float:
    """What tells Windows' encodings of Latin letters apart where all of them give letters.

    cp1252 and cp1254 differ in ð ý þ and ğ ı ş: Icelandic has eth within words and thorn at their beginning. Against
    cp1250: no language of cp1252 has ø or ò beside í, nor ends words in û or õ, as misread Czech and Hungarian do.
    """
    if encoding == "cp1252":
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


def _marked(data: bytes) -> Decoded | None:
    """Where the bytes say themselves what they are: a byte order mark, UTF-8 by its form, UTF-16 by its zeros."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            try:
                return Decoded(data.decode(encoding), encoding)
            except UnicodeDecodeError:
                return None
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
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return None


def _key(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()
