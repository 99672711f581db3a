"""What the endpoints for ``gradio_client`` have in common: the steps of the page without the page.

They have no components, so the page loads nothing for them; so nothing has looked at what arrives here either. Files come
as uploads, never as paths. Nothing is kept between two calls but, for some minutes, rows of support clips
(``models.SUPPORT``).
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, get_origin, get_type_hints

import gradio as gr

from mirdemo.base.sentences import MirdemoError, Sentence
from mirdemo.clips.labelled import unanswered
from mirdemo.web.frame import wellformed
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.jobs import UNEXPECTED, Jobs
from mirdemo.web.frame.log import event
from mirdemo.web.frame.uploads import Upload, discard, uploads_of
from mirdemo.words.language import DEFAULT, LANGUAGES, speaker

if TYPE_CHECKING:
    from mirdemo.clips import LabelledClips

log = logging.getLogger(__name__)

#: What Gradio's queue calls the line in which calls of endpoints wait.
CALLS = "api"

#: A file as ``gradio_client.handle_file`` sends it, and several of them.
File = dict[str, Any]
Files = list[dict[str, Any]]


def offer(endpoint: Callable[..., dict[str, Any]]) -> None:
    """Put an endpoint on the page under construction, under the function's name and with its docstring.

    endpoint: all its parameters are hinted; one is ``language``, that of refusals
    """
    gr.api(_typed(endpoint), api_name=endpoint.__name__, concurrency_id=CALLS, concurrency_limit=4)


def _typed(endpoint: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The same, refusing what is not of the kind that its hints name."""
    hints = get_type_hints(endpoint)
    kinds = {name: get_origin(hints[name]) or hints[name] for name in inspect.signature(endpoint).parameters}

    @wraps(endpoint)
    def checked(*sent: Any) -> dict[str, Any]:
        sent = tuple(map(wellformed.value, sent))
        given = dict(zip(kinds, sent, strict=False))
        for name, value in given.items():
            if type(value) is not kinds[name]:
                for one in sent:
                    discard(one)
                wrong = PageError(
                    "{name} is not a {kind}. Look the endpoint up with view_api and call it again.",
                    code="page.wrong_kind",
                    name=name,
                    kind=kinds[name].__name__,
                )
                raise _refusal(wrong, given.get("language"))
        return endpoint(*sent)

    return checked


def answered(
    jobs: Jobs,
    work: Callable[..., dict[str, Any]],
    language: str,
    *,
    files: Sequence[Files] = (),
    resource: str = "model",
) -> dict[str, Any]:
    """Do the work in its turn; refuse in the caller's language; leave no upload behind.

    work: called with one mapping (name -> path) for each of ``files``
    """
    began, outcome = time.monotonic(), "done"
    taken: list[dict[str, Path]] = []
    try:
        for sent in files:
            uploads = uploads_of(sent) if sent else []
            taken.append(_by_name(uploads))
        return jobs.run(lambda: work(*taken), resource=resource)
    except MirdemoError as error:
        outcome = error.sentence.code
        raise _refusal(error, language) from None
    except Exception:
        outcome = UNEXPECTED.code
        log.exception("endpoint")
        raise gr.Error(_say(UNEXPECTED, language), print_exception=False) from None
    finally:
        for sent in files:
            discard(sent)
        event("call", resource, outcome, files=sum(map(len, taken)), took_s=time.monotonic() - began)


def _by_name(uploads: Iterable[Upload]) -> dict[str, Path]:
    """Name -> path. Of several files of one name the later are numbered: ``a.wav``, ``a (2).wav``."""
    named: dict[str, Path] = {}
    for upload in uploads:
        place, name, number = PurePosixPath(upload.name), upload.name, 2
        while name in named:
            name = str(place.parent / f"{place.stem} ({number}){place.suffix}")
            number += 1
        named[name] = upload.path
    return named


def told(clips: LabelledClips, language: str) -> dict[str, Any]:
    """What an answer about labelled clips has to say of their files, in the caller's language.

    problems: what was left out or put right; clip_warnings: what is to be known of a clip that was used, with its name
    and its code; incomplete: names of clips of whose files a part is missing; in_question: clips that count as one recording
    until the sheet says of which they are, group by group, and that in a sentence (None for none)
    """
    return {
        "problems": sentences(clips.problems, language),
        "clip_warnings": [
            {"clip": clip.name, **warning}
            for clip in clips.clips
            for warning in with_codes(clip.warnings, language)
        ],
        "incomplete": [clip.name for clip in clips.clips if clip.incomplete],
        "in_question": {
            "says": _say(unanswered(clips), language) if clips.in_question else None,
            "groups": [[clips.clips[row].name for row in rows] for rows in clips.in_question],
        },
    }


def sentences(said: Iterable[Sentence], language: str) -> list[str]:
    return [_say(sentence, language) for sentence in said]


def with_codes(said: Iterable[Sentence], language: str) -> list[dict[str, str]]:
    """Sentences beside the codes that programs tell them apart by."""
    return [{"code": sentence.code, "says": _say(sentence, language)} for sentence in said]


def _refusal(error: MirdemoError, language: Any) -> gr.Error:
    return gr.Error(_say(error.sentence, language), print_exception=False)


def _say(sentence: Sentence, language: Any) -> str:
    """As text: whoever shows it on a page escapes it there."""
    known = isinstance(language, str) and language in LANGUAGES
    return wellformed.text(speaker(language if known else DEFAULT).say(sentence).unescape())
