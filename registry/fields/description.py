"""What a field says of itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinValueValidator,
)
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Privacy(StrEnum):
    """How a field must be treated when rows leave the registry."""

    DIRECT = "direct"  # names a person: never leaves
    STAFF = "staff"  # names a member of staff: dropped
    QUASI = "quasi"  # identifies in combination: banded or grouped
    SENSITIVE = "sensitive"  # special care: grouped when rare
    DATE = "date"  # becomes a day offset
    CODE = "code"  # replaced by a code per release
    CLINICAL = "clinical"  # kept
    TEXT = "text"  # free text: dropped
    SYSTEM = "system"  # bookkeeping of the registry


class Need(StrEnum):
    """Whether a case counts as complete without the field."""

    ALWAYS = "required"
    CONDITIONAL = "conditional"
    OPTIONAL = "optional"


class MissingReason(models.TextChoices):
    """Why a field has no value. Unknown is data; a sentinel number is not."""

    NOT_DONE = "not_done", _("Not done")
    UNKNOWN = "unknown", _("Unknown")
    NOT_APPLICABLE = "not_applicable", _("Not applicable")
    PENDING = "pending", _("Pending")


# In the place of Django's words, which speak of values and formats.
NO_CHOICE = _("“%(value)s” is not one of the choices.")
TOO_LONG = _("Write at most %(limit_value)s characters; these are %(show_value)s.")


LONGEST_TOLD = 40


def shortened(params: Any) -> Any:
    """The parameters of a message without what would fill the page."""
    if not isinstance(params, dict):
        return params
    return {
        name: text[:LONGEST_TOLD] if isinstance(text, str) else text
        for name, text in params.items()
    }


class Described:
    """Mixin: description of a field, kept out of migrations."""

    def __init__(
        self,
        *args: Any,
        definition: str | Promise = "",
        unit: str | Promise = "",
        need: Need = Need.OPTIONAL,
        privacy: Privacy = Privacy.CLINICAL,
        least: Decimal | int | date | None = None,
        most: Decimal | int | date | None = None,
        step: Decimal | None = None,
        group: str = "",
        **kwargs: Any,
    ) -> None:
        self.definition, self.unit, self.need = definition, unit, need
        self.privacy, self.group = privacy, group
        self.least, self.most, self.step = least, most, step
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", kwargs["null"])
        super().__init__(*args, **kwargs)

    def clean(self, value: Any, model_instance: Any) -> Any:
        """The checked value; what an error tells of a wrong one is short."""
        try:
            return super().clean(value, model_instance)  # type: ignore[misc]
        except ValidationError as error:
            for item in error.error_list:
                item.params = shortened(item.params)
            raise

    @property
    def validators(self) -> list[Any]:
        """Django's own validators, and the field's length, range and step.

        A CharField appends the one of its length to a list that this property makes
        anew at each call; it is therefore added here.
        """
        own: list[Any] = list(super().validators)  # type: ignore[misc]
        if getattr(self, "max_length", None) is not None:
            own.append(MaxLengthValidator(self.max_length, TOO_LONG))  # type: ignore[attr-defined]
        if self.least is not None:
            own.append(MinValueValidator(self.least, self._range_text()))
        if self.most is not None:
            own.append(MaxValueValidator(self.most, self._range_text()))
        if self.step is not None:
            own.append(self._check_step)
        return own

    @property
    def plausible(self) -> str:
        """The allowed range in words, for the hint beside the field; may be empty."""
        if self.least is None or self.most is None:
            return ""
        limits = f"{self.least} – {self.most}".replace("-", "−")
        return limits + (f" {self.unit}" if self.unit else "")

    def _range_text(self) -> Any:
        return _("%(value)s lies outside the possible range %(range)s.") % {
            "value": "%(show_value)s",
            "range": self.plausible.replace("%", "%%"),
        }

    def _check_step(self, value: Any) -> None:
        """Asked of what lies in the range only: a remainder of 1e30 has no digits."""
        outside = (self.least is not None and value < self.least) or (
            self.most is not None and value > self.most
        )
        if self.step and not outside and Decimal(str(value)) % self.step:
            raise ValidationError(
                _("Enter a multiple of %(step)s."), "step", {"step": self.step}
            )
