"""What a backbone that knows words is asked: a prompt for each tag, by what the tag is about.

The wordings are ours: CLAP learned from English captions, and "Hicaz" alone could be anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from mirdemo.corpora.vocabularies import vocabularies
from mirdemo.evidence.tags import bare, family
from mirdemo.web.frame.errors import PageError

#: Where a tag's own word stands in a prompt.
PLACE = "{tag}"
#: For the visitor's own tags, of which nothing is known.
TEMPLATE = "the sound of {tag}"
#: The words of the visitor's own clips, in place of a corpus.
OWN = "own"

_MUSIC = {
    "lyra": "Greek traditional music",
    "makam": "Turkish makam music",
    "hindustani": "Hindustani classical music",
    "carnatic": "Carnatic classical music",
}
_FORMS = {
    "makam": "a recording of {music} in makam {tag}",
    "usul": "a recording of {music} in the rhythm {tag}",
    "raga": "a recording of {music} in raga {tag}",
    "tala": "a recording of {music} in tala {tag}",
    "instrument": "a recording of {music} with {tag}",
    "place": "a recording of {music} from {tag}",
    "form": "a recording of {music}, a {tag}",
    "genre": "a recording of {music}, {tag}",
    "free": "a recording of {tag} music",
}
#: Corpora of many kinds of music: there is none to name.
_PLAIN = {"genre": "a recording of {tag} music"}
#: Published tags that say that something is not known.
_NOTHING = ("None",)


def checked_template(text: str) -> str:
    """A template with its place for the tag. Raises PageError without one."""
    if PLACE not in text:
        raise PageError(
            "The prompt needs the word {place} where each tag should stand.",
            code="probe.no_place",
            place=PLACE,
        )
    return text


def asked_tags(corpus: str) -> tuple[str, ...]:
    """The corpus's vocabulary without the tags that mean that nothing is known (Lyra's ``place--None``)."""
    return tuple(tag for tag in vocabularies()[corpus].tags if bare(tag) not in _NOTHING)


def forms(corpus: str) -> dict[str, str]:
    """Family -> the template for its tags, for the families that the corpus has."""
    found = dict.fromkeys(family(corpus, tag) for tag in asked_tags(corpus))
    music = _MUSIC.get(corpus)
    return {
        name: _FORMS[name].replace("{music}", music) if music else _PLAIN.get(name, _FORMS["free"])
        for name in found
    }


def prompts(corpus: str, by_family: Mapping[str, str]) -> dict[str, str]:
    """Tag -> prompt, with the templates of its families."""
    return {
        tag: by_family[family(corpus, tag)].replace(PLACE, spoken(corpus, tag)) for tag in asked_tags(corpus)
    }


def spoken(corpus: str, tag: str) -> str:
    """A tag as one says it: without its family; Lyra writes hyphens between words."""
    word = bare(tag)
    return word.replace("-", " ") if corpus == "lyra" else word


def matches(corpus: str, own: tuple[str, ...]) -> dict[str, str]:
    """Tag of the vocabulary -> the visitor's tag of the same name, written with the family or without, in any case."""
    mine = {tag.casefold(): tag for tag in own}
    found = {}
    for tag in asked_tags(corpus):
        names = (tag, bare(tag), spoken(corpus, tag))
        match = next((mine[name.casefold()] for name in names if name.casefold() in mine), None)
        if match is not None:
            found[tag] = match
    return found
