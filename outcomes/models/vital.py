from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from cases.models import Patient
from outcomes import choices
from registry.constraints import Rule, constrained
from registry.fields import ChoiceField, DayField, Need, Privacy
from registry.history import tracked
from registry.models import ClinicalRecord
from registry.sql import may_follow


@tracked()
@constrained
class VitalStatus(ClinicalRecord):
    """Whether a patient lives, and when that was last known."""

    CODE_PREFIX = "VIT"
    CENTRE_PATH = "patient__centre"
    CONSENT_PATH = "patient__consent_research"

    patient = models.OneToOneField(
        Patient, models.PROTECT, related_name="vital_status_record"
    )
    vital_status = ChoiceField(
        _("vital status"),
        choices=choices.Vital.choices,
        null=False,
        need=Need.ALWAYS,
    )
    death_date = DayField(_("date of death"), need=Need.CONDITIONAL)
    death_cause = ChoiceField(
        _("cause of death"),
        choices=choices.DeathCause.choices,
        need=Need.CONDITIONAL,
        privacy=Privacy.SENSITIVE,
    )
    last_contact_date = DayField(
        _("last contact on"),
        definition=_("Distinct from the date of the last MRI."),
        need=Need.ALWAYS,
    )

    class Meta(ClinicalRecord.Meta):
        constraints = [
            *ClinicalRecord.Meta.constraints,
            Rule(
                condition=Q(vital_status="dead")
                | Q(death_date__isnull=True, death_cause__isnull=True),
                name="vital_death_needs_dead",
                violation_error_message=_(
                    "Date and cause of death belong to a patient who died."
                ),
            ),
            Rule(
                condition=Q(death_date__isnull=True)
                | Q(last_contact_date__isnull=True)
                | may_follow("death_date", "last_contact_date"),
                name="vital_contact_before_death",
                violation_error_message=_("The last contact follows the death."),
            ),
        ]

    CONSTRAINT_FIELDS = {
        "vital_death_needs_dead": "vital_status",
        "vital_contact_before_death": "last_contact_date",
    }

    def applicable(self, field: Any) -> bool:
        if field.name in {"death_date", "death_cause"}:
            return self.vital_status == choices.Vital.DEAD
        return super().applicable(field)

    def clean(self) -> None:
        super().clean()
        if (
            self.vital_status == choices.Vital.DEAD
            and self.death_date is None
            and "death_date" not in self.missing
        ):
            raise ValidationError(
                {"death_date": _("Give the date of death, or say why it is missing.")}
            )
