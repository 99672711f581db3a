"""Numbers as people type them."""

from __future__ import annotations

import re
import unicodedata

_IN_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")


def typed_number(text: str) -> float:
    """``"3.5"``, ``"3,5"`` -> 3.5; ``"1,500"`` -> 1500, as the page writes thousands; full-width digits are digits too.

    Raises ValueError for what is no number, or could be two.
    """
    plain = unicodedata.normalize("NFKC", text).strip().replace("\u2212", "-")
    if _IN_THOUSANDS.fullmatch(plain):
        return float(plain.replace(",", ""))
    if "," in plain and "." in plain:
        raise ValueError(text)
    return float(plain.replace(",", "."))
