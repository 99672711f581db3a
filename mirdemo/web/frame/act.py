"""What a visitor did, as it arrived: nothing in it is believed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

from mirdemo.base.typed import typed_number
from mirdemo.web.frame import wellformed
from mirdemo.web.frame.errors import PageError
from mirdemo.web.frame.limits import LIMITS
from mirdemo.web.frame.uploads import Upload, discard, uploads_of


class Act:
    """One thing a visitor did. Everything in it comes from outside: read it only through these methods.

    name: which handler is meant, e.g. ``"clips.remove"``
    """

    def __init__(self, sent: Any) -> None:
        self._sent: Mapping[str, Any] = wellformed.value(sent) if isinstance(sent, dict) else {}
        name = self._sent.get("act")
        self.name: str = name if isinstance(name, str) else ""

    def sent(self, key: str) -> Any:
        """Whatever came under this name, None for nothing: for who looks at it themselves."""
        return self._sent.get(key)

    def text(self, key: str, default: str = "") -> str:
        """What was typed, without blanks at its ends. Raises PageError if it is too long."""
        value = self._sent.get(key, default)
        value = value.strip() if isinstance(value, str) else default
        if len(value) > LIMITS.text:
            raise PageError(
                "This text is longer than {limit} characters. Shorten it.",
                code="page.text_too_long",
                limit=LIMITS.text,
            )
        return value

    def one_of(self, key: str, options: Collection[str]) -> str:
        """One of the options. Raises PageError otherwise."""
        value = self._sent.get(key)
        if not isinstance(value, str) or value not in options:
            raise PageError(
                "This choice is not on offer (any more). Choose again.", code="page.no_such_choice"
            )
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number within limits. Raises PageError otherwise."""
        value = self.number(key, low, high)
        if value != int(value):
            raise _not_a_number(low, high)
        return int(value)

    def number(self, key: str, low: float, high: float) -> float:
        """A number within limits. Raises PageError otherwise."""
        try:
            sent = self._sent.get(key)
            value = typed_number(sent) if isinstance(sent, str) else float(sent)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise _not_a_number(low, high) from None
        if not low <= value <= high:
            raise _not_a_number(low, high)
        return value

    @property
    def drawn(self) -> int:
        """The last drawing that the page has; 0 for none, or for what is no number."""
        value = self._sent.get("drawn")
        return value if type(value) is int else 0

    @property
    def turn(self) -> int:
        """Which of the page's acts it is: the answer says it again, so that the page knows what has been answered; 0 for none,
        or for what is no number."""
        value = self._sent.get("turn")
        return value if type(value) is int else 0

    def flag(self, key: str) -> bool:
        return self._sent.get(key) in (True, "true", "on", "1")

    def has(self, key: str) -> bool:
        """Whether anything was sent under this name."""
        return bool(self._sent.get(key))

    def uploads(self) -> list[Upload]:
        return uploads_of(self._sent.get("files"))

    def discard(self) -> None:
        """Delete the files that came with it."""
        discard(self._sent.get("files"))


def _not_a_number(low: float, high: float) -> PageError:
    return PageError("Give a number from {low:g} to {high:g}.", code="page.not_a_number", low=low, high=high)


def address_query(address: Any) -> dict[str, str]:
    """The query of an address as the browser sent it; empty where it is none or too long."""
    if not isinstance(address, str) or len(address) > 2000:
        return {}
    try:
        return dict(parse_qsl(address, max_num_fields=30))
    except ValueError:
        return {}
