"""Signs that are typed for others and can mean nothing else.

Japanese keyboards give full-width letters and digits, word processors dashes and spaces
of many kinds. Readers of levels, days and numbers take the plain sign that is meant; the
browser does the same (days.js).
"""

from __future__ import annotations

from typing import Final

_PLAIN: Final = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63", "-")
)


def plain_signs(text: str) -> str:
    """``text`` in plain signs, with one space for any white space between words."""
    return " ".join(text.translate(_PLAIN).split())
