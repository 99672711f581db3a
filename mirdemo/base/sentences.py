"""Sentences for people: a template, a code to translate it by, and the values that fill it.

Every refusal, warning and verdict that reaches a user is one of these. The English sentence stands
where it is raised; other languages look the code up (``words/text/*.json``, key ``say.<code>``) and fill
the same values in.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Sentence:
    """One sentence. ``str()`` gives it in English.

    template: English, with ``str.format`` fields, e.g. ``"{name} is empty."``
    code: dotted name that other languages translate, e.g. ``"audio.empty"``
    values: what fills the fields
    """

    template: str
    code: str
    values: dict[str, Any] = field(default_factory=dict)

    def filled(self, **values: Any) -> Sentence:
        """The same with these values."""
        return replace(self, values=values)

    def __str__(self) -> str:
        return self.template.format(**self.values)


class MirdemoError(Exception):
    """Base of every error a user may cause: one sentence that says what happened and what to do.

    Each room derives its own (``AudioError``, ``BackboneError``, ...), so that a caller can tell
    them apart. Values are given by keyword and fill the template::

        raise AudioError("{name} holds no sound.", code="audio.empty", name=name)
    """

    def __init__(self, template: str, *, code: str, **values: Any) -> None:
        self.sentence = Sentence(template, code, values)
        super().__init__(str(self.sentence))

    def __reduce__(self):  # errors cross process borders (ZeroGPU, Ray)
        return _rebuild, (type(self), self.sentence)


def _rebuild(cls: type[MirdemoError], sentence: Sentence) -> MirdemoError:
    return cls(sentence.template, code=sentence.code, **sentence.values)


class Cancelled(MirdemoError):
    """The user stopped a long step. Raised out of the step, which leaves nothing half-done."""

    def __init__(self, template: str = "Stopped.", *, code: str = "cancelled", **values: Any) -> None:
        super().__init__(template, code=code, **values)
