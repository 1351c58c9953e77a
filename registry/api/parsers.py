"""JSON as the standard has it, and nothing that a lenient reader lets through.

Duplicate keys (the last would win), NaN, lone surrogates, NUL characters, deep nesting
and endless numbers are refused with a 400, large bodies with a 413.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

MOST_BYTES = 262_144
LARGEST_TAKEN = 20 * 1024 * 1024  # the proxy lets no more through
MOST_DEPTH = 12
LONGEST_NUMBER = 40
LARGEST_EXPONENT = 30


class BodyTooLarge(APIException):
    """The body exceeds what one record can need."""

    status_code = 413
    default_code = "body_too_large"

    def __init__(self) -> None:
        super().__init__(
            _("The body is larger than %(kilobytes)s kB.")
            % {"kilobytes": MOST_BYTES // 1024}
        )


class StrictJSONParser(BaseParser):
    """Reads one JSON value; numbers with a fraction become Decimal, exactly."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return strict_json(self.body(stream, parser_context or {}))

    def body(self, stream: IO[bytes], context: Mapping[str, Any]) -> bytes:
        request = context.get("request")
        announced = request.META.get("CONTENT_LENGTH", "") if request else ""
        if str(announced).isdigit() and int(announced) > MOST_BYTES:
            throw_away(stream)
            raise BodyTooLarge
        content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            throw_away(stream)
            raise BodyTooLarge
        return content


def throw_away(stream: IO[bytes]) -> None:
    """Take the rest of a body that the proxy let through.

    A connection that is closed with something unread is reset, and the proxy tells a 502
    in place of the answer.
    """
    left = LARGEST_TAKEN
    while left > 0 and (piece := stream.read(min(left, 65_536))):
        left -= len(piece)


def strict_json(content: bytes) -> Any:
    """The value that the bytes hold. Raises ParseError with the reason."""
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=without_duplicates,
            parse_constant=refuse_constant,
            parse_float=bounded_decimal,
            parse_int=bounded_int,
        )
    except UnicodeDecodeError as error:
        raise ParseError(_("The body is not UTF-8."), "not_utf8") from error
    except RecursionError as error:
        raise too_deep() from error
    except ValueError as error:
        raise ParseError(_("The body is not JSON: %s") % error, "not_json") from error
    check_texts(value, MOST_DEPTH)
    return value


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ParseError(_("A name occurs twice in one object."), "duplicate_key")
    return members


def refuse_constant(name: str) -> Any:
    raise ParseError(_("%s is not a JSON number.") % name, "not_a_number")


def bounded_decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise number_too_long() from error
    if len(text) > LONGEST_NUMBER or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise number_too_long()
    return number


def bounded_int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise number_too_long()
    return int(text)


def number_too_long() -> ParseError:
    return ParseError(_("A number is out of every range."), "number_too_long")


def too_deep() -> ParseError:
    return ParseError(_("The body is nested too deeply."), "too_deep")


def check_texts(value: Any, depth: int) -> None:
    """No text, and no name of a member, that PostgreSQL or UTF-8 cannot hold."""
    if depth < 0:
        raise too_deep()
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ParseError(_("A text contains invalid characters."), "invalid_text")
    elif isinstance(value, dict):
        for name, member in value.items():
            check_texts(name, depth)
            check_texts(member, depth - 1)
    elif isinstance(value, list):
        for member in value:
            check_texts(member, depth - 1)
