"""What a plan has to assume about the people and the archive, because no stage can measure it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from mirdemo.base.sentences import Sentence
from mirdemo.base.typed import typed_number
from mirdemo.planning.errors import PlanError

#: Currency -> (sign, decimals shown, wage an hour, price of a GPU hour). Round figures to begin with, no rates of exchange:
#: wages near what an assistant is paid, the GPU near the Hub's price of a T4 (0.40 dollars an hour, November 2026).
CURRENCIES: Mapping[str, tuple[str, int, float, float]] = {
    "JPY": ("¥", 0, 1500.0, 60.0),
    "USD": ("$", 2, 20.0, 0.4),
    "EUR": ("€", 2, 18.0, 0.35),
}
DEFAULT_CURRENCY = "JPY"


@dataclass(frozen=True)
class Assumptions:
    """Numbers that a visitor can set. ``LIMITS`` says how far, ``reason`` why each begins where it does.

    recordings: waiting to be tagged
    hand_minutes: to tag one of them by hand, all its tags
    accept_seconds, mend_seconds: to accept a right suggestion, to take back a wrong one
    setup_minutes: of a person's time, to fine-tune once and look at the result
    wage, gpu_price: an hour, in ``currency``
    target: macro-F1 that is wanted, for the learning curve
    """

    recordings: float = 200
    hand_minutes: float = 3.0
    accept_seconds: float = 5.0
    mend_seconds: float = 15.0
    setup_minutes: float = 30.0
    wage: float = CURRENCIES[DEFAULT_CURRENCY][2]
    gpu_price: float = CURRENCIES[DEFAULT_CURRENCY][3]
    target: float = 0.8
    currency: str = DEFAULT_CURRENCY

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if isinstance(value, str) and not value.strip():
                raise PlanError(
                    "{what} is empty or no number. Give a number from {least} to {most}.",
                    code="planning.no_number",
                    what=NAMES[name],
                    least=f"{least:,g}",
                    most=_most(most),
                )
            if not fits or not least <= value <= most or (name == "recordings" and value != int(value)):
                raise PlanError(
                    "{what} cannot be {value}. Give a number from {least} to {most}.",
                    code="planning.impossible",
                    what=NAMES[name],
                    value=_shown(value),
                    least=f"{least:,g}",
                    most=_most(most),
                )
        if self.currency not in CURRENCIES:
            raise PlanError(
                "There is no currency {value} here. Use one of {known}.",
                code="planning.currency",
                value=str(self.currency)[:40],
                known=list(CURRENCIES),
            )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Assumptions:
        """From what was typed or kept, numbers or text; what is not given is as by default.

        Raises PlanError for what is unknown or impossible.
        """
        unknown = sorted(set(given) - {field.name for field in fields(cls)})
        if unknown:
            raise PlanError(
                "A plan assumes nothing called {name}. Leave it out.",
                code="planning.unknown_assumption",
                name=str(unknown[0])[:40],
            )
        currency = given.get("currency", DEFAULT_CURRENCY)
        begun = cls().in_currency(currency) if currency in CURRENCIES else cls()
        return replace(begun, **{name: _number(value, name) for name, value in given.items()})

    def in_currency(self, currency: str) -> Assumptions:
        """The same with another currency's usual wage and price: amounts of money are not converted."""
        _, _, wage, gpu_price = CURRENCIES[currency]
        return replace(self, currency=currency, wage=wage, gpu_price=gpu_price)

    def minutes_of(self, money: float) -> float:
        """What an amount of money is worth in minutes of work."""
        return 60 * money / self.wage

    def money(self, amount: float) -> str:
        """``¥90``, ``$0.60``."""
        sign, decimals, _, _ = CURRENCIES[self.currency]
        return f"{sign}{amount:,.{decimals}f}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _shown(value: Any) -> str:
    """What was given, without an exponent as long as it has fewer than sixteen figures."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return str(value)[:40]
    return f"{value:,.0f}" if 1e6 <= abs(value) < 1e15 else f"{value:g}"


def _most(most: float) -> str:
    return f"{most:,.0f}" if most >= 1 else f"{most:g}"


def _number(value: Any, name: str) -> Any:
    """Text to a number where it is one, as people type it."""
    if name == "currency" or not isinstance(value, str):
        return value
    try:
        return typed_number(value)
    except ValueError:
        return value


#: Assumption -> (least, most).
LIMITS: Mapping[str, tuple[float, float]] = {
    "recordings": (1, 1_000_000),
    "hand_minutes": (0.05, 600),
    "accept_seconds": (0.1, 3600),
    "mend_seconds": (0.1, 3600),
    "setup_minutes": (0, 10_000),
    "wage": (0.01, 1_000_000),
    "gpu_price": (0, 100_000),
    "target": (0.05, 1),
}

NAMES: Mapping[str, Sentence] = {
    "recordings": Sentence("Recordings waiting", "planning.name.recordings"),
    "hand_minutes": Sentence("Minutes to tag one recording by hand", "planning.name.hand_minutes"),
    "accept_seconds": Sentence("Seconds to accept a right suggestion", "planning.name.accept_seconds"),
    "mend_seconds": Sentence("Seconds to take back a wrong suggestion", "planning.name.mend_seconds"),
    "setup_minutes": Sentence("Minutes of a person to fine-tune once", "planning.name.setup_minutes"),
    "wage": Sentence("Wage an hour", "planning.name.wage"),
    "gpu_price": Sentence("Price of a GPU hour", "planning.name.gpu_price"),
    "target": Sentence("Macro-F1 wanted", "planning.name.target"),
}

#: Why each begins where it does.
REASONS: Mapping[str, Sentence] = {
    "recordings": Sentence(
        "A small archive; what a plan may cost depends on this most. Put your own number in.",
        "planning.reason.recordings",
    ),
    "hand_minutes": Sentence(
        "Hearing a short recording once and writing its tags down; time yourself on three.",
        "planning.reason.hand_minutes",
    ),
    "accept_seconds": Sentence(
        "Long enough to play the place and press a button; time yourself on ten.",
        "planning.reason.accept_seconds",
    ),
    "mend_seconds": Sentence(
        "Hearing it twice before taking it back; time yourself on ten.",
        "planning.reason.mend_seconds",
    ),
    "setup_minutes": Sentence(
        "Choosing, starting, and looking at what came out; it trains without you.",
        "planning.reason.setup_minutes",
    ),
    "wage": Sentence(
        "A round figure for an assistant; it turns the machine's cost into minutes.", "planning.reason.wage"
    ),
    "gpu_price": Sentence(
        "A round figure near the cheapest GPU for rent (0.40 dollars an hour in November 2026).",
        "planning.reason.gpu_price",
    ),
    "target": Sentence(
        "A round aim, drawn on the learning curve; it decides nothing else.", "planning.reason.target"
    ),
}
