"""Codes of closed lists, and levels of the spine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.fields.description import LONGEST_TOLD, NO_CHOICE, Described, Privacy
from registry.fields.words import clean_words
from registry.levels import SEGMENT_ORDINAL, LevelError, parse_level


class ChoiceField(Described, models.CharField):
    """One of a closed list of codes; without a list, a short code of a given form."""

    default_error_messages = {"invalid_choice": NO_CHOICE}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if isinstance(value, str):
            return clean_words(value) or None
        return value


class LevelField(Described, models.CharField):
    """A spinal level, stored by its standard code whatever the spelling typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        kwargs.setdefault("privacy", Privacy.QUASI)
        super().__init__(*args, **kwargs)

    allowed: Sequence[str] = tuple(SEGMENT_ORDINAL)

    def to_python(self, value: Any) -> str | None:
        if value is None or not str(value).strip():
            return None
        try:
            return parse_level(str(value))
        except LevelError as error:
            raise ValidationError(str(error), "level") from error

    def formfield(self, **kwargs: Any) -> Any:
        # The text typed may be longer than the code stored ("Th 05", "coccyx").
        return super().formfield(**{"max_length": None, **kwargs})


class MultiChoiceField(Described, ArrayField):
    """Several of a closed list of codes, in the order of the list."""

    def __init__(
        self, verbose_name: Any = None, *, options: Any = None, **kwargs: Any
    ) -> None:
        self.options = options
        kwargs.setdefault("base_field", models.CharField(max_length=40))
        super().__init__(verbose_name=verbose_name, **kwargs)

    @property
    def codes(self) -> list[str]:
        return [code for code, _label in getattr(self.options, "choices", [])]

    def to_python(self, value: Any) -> list[str] | None:
        if not value:
            return None
        if not isinstance(value, list | tuple | set):
            raise ValidationError(_("Give a list of codes."), "invalid")
        value = super().to_python(list(value))
        unknown = [code for code in value if code not in self.codes]
        if unknown:
            raise ValidationError(
                _("%(codes)s is not one of the choices."),
                "invalid_choice",
                {"codes": ", ".join(map(str, unknown))[:LONGEST_TOLD]},
            )
        if "none" in value and len(set(value)) > 1:
            raise ValidationError(
                _("“None” cannot stand together with other choices."), "none_and_others"
            )
        return [code for code in self.codes if code in value]

    def clean(self, value: Any, model_instance: Any) -> Any:
        # An empty list says nothing: it is no value. Django's own checks would look for
        # its items.
        value = self.to_python(value)
        if value is None:
            models.Field.validate(self, None, model_instance)
            return None
        return super().clean(value, model_instance)
