"""Free text, cleaned of what cannot be seen."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.fields.description import Described, Privacy

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2069\ufeff\ud800-\udfff]"
)


def clean_words(text: str) -> str:
    """NFC text without control, zero-width or direction-changing characters.

    Raises ValidationError rather than dropping a character silently. The zero-width
    joiner stays allowed: emoji and several scripts need it.
    """
    if _FORBIDDEN.search(text):
        raise ValidationError(
            _("The text contains invisible control characters. Type it again."),
            "control_characters",
        )
    return unicodedata.normalize("NFC", text).strip()


# Longer texts may have several lines.
ONE_LINE = 200


class WordsField(Described, models.CharField):
    """Free text. Never exported without the identity permission."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 2000)
        kwargs.setdefault("privacy", Privacy.TEXT)
        kwargs.setdefault("null", False)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if not isinstance(value, str):
            return value
        value = clean_words(value)
        if (self.max_length or 0) <= ONE_LINE and re.search(r"[\t\r\n]", value):
            raise ValidationError(
                _("Write this in one line, without tabs."), "control_characters"
            )
        return value
