"""Codes without a way back: keyed, the same in every answer of one registry."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db.models import CharField, Func

TEMPLATE = (
    "substr(encode(sha256(decode('%(outer)s', 'hex') || sha256("
    "decode('%(inner)s', 'hex') || convert_to(%(expressions)s, 'UTF8'))), 'hex')"
    ", 1, 16)"
)


class Pseudonym(Func):
    """HMAC-SHA256 of a text under a key of this registry, 16 hex digits of it.

    Built from PostgreSQL's own sha256, so that a COPY can use it too. The key never
    leaves the server; without it the pseudonym cannot be computed from a code.
    """

    template = TEMPLATE
    output_field = CharField()

    def __init__(self, expression: Any, purpose: str = "facts") -> None:
        inner, outer = hmac_pads(purpose)
        super().__init__(expression, inner=inner, outer=outer)


def pseudonym_sql(expression: str, purpose: str = "facts") -> str:
    """The same for a statement that is written as text."""
    inner, outer = hmac_pads(purpose)
    return TEMPLATE % {"expressions": expression, "inner": inner, "outer": outer}


def key_version() -> str:
    """Names the key in every answer: rows join with rows of the same version only."""
    key = f"{settings.PSEUDONYM_KEY}\0version".encode()
    return hashlib.sha256(key).hexdigest()[:8]


def hmac_pads(purpose: str) -> tuple[str, str]:
    """The inner and outer padded key of HMAC (RFC 2104), in hex."""
    key = hashlib.sha256(f"{settings.PSEUDONYM_KEY}\0{purpose}".encode()).digest()
    block = key.ljust(64, b"\0")
    inner = bytes(byte ^ 0x36 for byte in block)
    outer = bytes(byte ^ 0x5C for byte in block)
    return inner.hex(), outer.hex()
