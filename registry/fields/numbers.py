"""Numbers, measures, and yes or no."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import (
    DecimalValidator,
)
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from registry.fields.description import NO_CHOICE, Described


class FlagField(Described, models.BooleanField):
    """Yes, no, or not known."""


class WholeNumberField(Described, models.IntegerField):
    """A whole number within its range."""

    default_error_messages = {
        "shape": _("Write a whole number, without a point."),
        "invalid_choice": NO_CHOICE,
    }

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError as error:
            raise ValidationError(self.error_messages["shape"], "shape") from error


class MeasureField(Described, models.DecimalField):
    """A measured number; one decimal place unless said otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 8)
        kwargs.setdefault("decimal_places", 1)
        super().__init__(*args, **kwargs)

    @property
    def validators(self) -> list[Any]:
        """With our words for the decimal places. How many digits stand before the point
        follows from the range."""
        own = [v for v in super().validators if not isinstance(v, DecimalValidator)]
        return [*own, self._check_places]

    def _check_places(self, value: Decimal) -> None:
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.decimal_places:
            raise ValidationError(
                ngettext_lazy(
                    "Give %(places)s decimal place at most.",
                    "Give %(places)s decimal places at most.",
                    self.decimal_places,
                ),
                "max_decimal_places",
                {"places": self.decimal_places},
            )
