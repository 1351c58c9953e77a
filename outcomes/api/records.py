"""What happens afterwards, over the API: visits, recurrences, vital status."""

from __future__ import annotations

from typing import Any

import django_filters
from rest_framework import serializers

from cases.models import Case, Patient
from outcomes import actions
from outcomes.models import Recurrence, Visit, VitalStatus
from registry.api.serializers import Parent, RecordSerializer
from registry.api.viewsets import RecordViewSet


class VisitSerializer(RecordSerializer):
    model = Visit
    above = Parent("case", Case.objects)
    derived = {"joa_total": serializers.FloatField}


class RecurrenceSerializer(RecordSerializer):
    model = Recurrence
    above = Parent("case", Case.objects)


class VitalStatusSerializer(RecordSerializer):
    model = VitalStatus
    above = Parent("patient", Patient.objects)


class OutcomesOfCase(django_filters.FilterSet):
    case = django_filters.CharFilter(field_name="case__code")
    patient = django_filters.CharFilter(field_name="case__patient__code")


class VisitViewSet(RecordViewSet):
    """Examinations: symptoms, neurological scores, pain by site."""

    serializer_class = VisitSerializer
    record_actions = actions
    queryset = Visit.objects.all()
    related = ("case",)
    filterset_class = OutcomesOfCase

    def make(self, **given: Any) -> Visit:
        return actions.create_visit(**given)


class RecurrenceViewSet(RecordViewSet):
    """New tumour seen on MRI: recurrence, regrowth or a new lesion."""

    serializer_class = RecurrenceSerializer
    record_actions = actions
    queryset = Recurrence.objects.all()
    related = ("case",)
    filterset_class = OutcomesOfCase

    def make(self, **given: Any) -> Recurrence:
        return actions.create_recurrence(**given)


class VitalStatusOfPatient(django_filters.FilterSet):
    patient = django_filters.CharFilter(field_name="patient__code")


class VitalStatusViewSet(RecordViewSet):
    """Whether a patient lives, and when that was last known."""

    serializer_class = VitalStatusSerializer
    record_actions = actions
    queryset = VitalStatus.objects.all()
    related = ("patient",)
    filterset_class = VitalStatusOfPatient

    def make(self, **given: Any) -> VitalStatus:
        return actions.create_vital_status(**given)
