"""Cases over the API, with the appointment that somebody has to care for."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from cases.api import records
from outcomes.filters import ByAppointment
from outcomes.schedule import STATES, AppointmentState, schedules_of


class AppointmentField(serializers.ChoiceField):
    """The state of today, as lists and worklist have it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=STATES,
            source="*",
            label=_("next visit"),
            help_text=_("State of the appointment to care for, as of today."),
            **kwargs,
        )

    def to_representation(self, value: Any) -> str:
        known: str | None = getattr(value, "appointment_state", None)
        if known is not None:
            return known
        found = schedules_of([value.pk], timezone.localdate()).get(value.pk)
        return found.state if found else "not_needed"


class CaseSerializer(records.CaseSerializer):
    derived = {**records.CaseSerializer.derived, "appointment": AppointmentField}


class CasesFilter(records.CasesFilter):
    """Those of cases, and the next visit."""

    appointment = ByAppointment("pk")


class CaseViewSet(records.CaseViewSet):
    """Cases: one tumour each."""

    serializer_class = CaseSerializer
    filterset_class = CasesFilter

    def paginate_queryset(self, queryset: Any) -> Any:
        """The state of each case of the page, in the query of the page."""
        state = AppointmentState(F("pk"), timezone.localdate())
        return super().paginate_queryset(queryset.annotate(appointment_state=state))
