"""The record over the API: patients, cases, MRI studies, operations, complications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import django_filters
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cases import actions
from cases.choices import RelationToIndex
from cases.filters import CaseFilter
from cases.models import (
    Case,
    Complication,
    MriStudy,
    Operation,
    Patient,
    PatientIdentity,
)
from cases.same_person import patients_alike
from registry import audit
from registry.api.errors import PreconditionFailed
from registry.api.schema import ACKNOWLEDGE, ETAG, IF_MATCH
from registry.api.serializers import (
    NothingSerializer,
    Parent,
    PrecisionField,
    ReasonSerializer,
    RecordSerializer,
    StrictSerializer,
)
from registry.api.values import DescribedValue
from registry.api.views import person_of
from registry.api.viewsets import (
    READ_AND_WRITE,
    RecordViewSet,
    acknowledged,
    expected_version,
    reason_given,
)
from registry.constraints import described_fields
from registry.duplicates import LooksAlike, ask_about
from registry.models import Centre, User
from registry.permissions import Permission, centres_with
from registry.records import StaleVersion


@extend_schema_field(str)
class CentreField(serializers.Field):
    """The code of a centre in which the person enters cases."""

    default_error_messages = {"does_not_exist": _("You enter no cases in this centre.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_internal_value(self, value: Any) -> Centre:
        centres = writable_centres(self.context["request"].user)
        for centre in centres:
            if centre.code == value:
                return centre
        self.fail("does_not_exist")

    def to_representation(self, value: Any) -> str:
        return str(value.code)


def writable_centres(user: User) -> list[Centre]:
    own = centres_with(user, Permission.WRITE_CASES) or set()
    return list(Centre.objects.filter(pk__in=own, is_active=True))


class PatientSerializer(RecordSerializer):
    model = Patient
    once = {"centre": CentreField}


class CaseSerializer(RecordSerializer):
    model = Case
    above = Parent("patient", Patient.objects)
    derived = {
        "centre": CentreField,
        "status": serializers.CharField,
        "verified_at": serializers.DateTimeField,
        "region": serializers.CharField,
        "level_span": serializers.IntegerField,
    }


class MriStudySerializer(RecordSerializer):
    model = MriStudy
    above = Parent("case", Case.objects)


class IndexOperationField(serializers.BooleanField):
    """Whether follow-up counts from this operation. JSON true or false only."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class OperationSerializer(RecordSerializer):
    model = Operation
    above = Parent("case", Case.objects)
    once = {"index_operation": IndexOperationField}


class MakeIndexSerializer(ReasonSerializer):
    """Why follow-up counts from another operation, and what the one so far then is."""

    previous_as = serializers.ChoiceField(choices=RelationToIndex.choices)


class ComplicationSerializer(RecordSerializer):
    model = Complication
    above = Parent("operation", Operation.objects)


class IdentitySerializer(StrictSerializer):
    """Name, date of birth and hospital number."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields: dict[str, serializers.Field] = {
            field.name: DescribedValue(field, required=False)
            for field in described_fields(PatientIdentity)
        }
        return fields | {
            "precision": PrecisionField(["birth_date"]),
            "version": serializers.IntegerField(read_only=True),
        }


class PatientViewSet(RecordViewSet):
    """Patients, known by a random code."""

    serializer_class = PatientSerializer
    record_actions = actions
    queryset = Patient.objects.all()
    related = ("centre",)
    needs = {**READ_AND_WRITE, "identity": {Permission.READ_IDENTITY}}

    def make(self, *, by: User, centre: Centre | None = None, **given: Any) -> Patient:
        if centre is None:
            centres = writable_centres(by)
            if len(centres) != 1:
                error = serializers.ErrorDetail(str(_("Name the centre.")), "required")
                raise serializers.ValidationError({"centre": [error]})
            centre = centres[0]
        return actions.create_patient(by=by, centre=centre, **given)

    @extend_schema(responses=IdentitySerializer, parameters=[ETAG])
    @action(detail=True, methods=["get"])
    def identity(self, request: Request, code: str) -> Response:
        """Name, date of birth and hospital number. Every read is audited."""
        patient = self.find(code)
        with transaction.atomic():
            found = actions.read_identity(by=person_of(request), patient=patient)
        return identity_answer(found or PatientIdentity(version=0))

    @extend_schema(
        request=IdentitySerializer,
        responses=IdentitySerializer,
        parameters=[IF_MATCH, ACKNOWLEDGE, ETAG],
    )
    @identity.mapping.patch
    def change_identity(self, request: Request, code: str) -> Response:
        """Write the identity; the first time with ``If-Match: "0"``."""
        patient = self.find(code)
        version = expected_version(request)
        serializer = IdentitySerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        by, values = person_of(request), serializer.validated_data
        before = named_by(patient)
        try:
            with transaction.atomic():
                written = actions.set_identity(
                    by=by, patient=patient, values=values, version=version
                )
                self.ask_about_person(patient, before)
        except StaleVersion as error:
            current = actions.read_identity(by=by, patient=patient)
            raise PreconditionFailed(
                IdentitySerializer(current).data,
                error.differing,
                f'"{error.current.version}"',
            ) from error
        except LooksAlike as alike:
            audit.record("identity.searched", actor=by, found=alike.codes)
            raise
        return identity_answer(written)

    def ask_about_person(self, patient: Patient, before: Mapping[str, Any]) -> None:
        """Names and day of birth as they are now; asked only if one of them changed."""
        now = named_by(patient)
        if now != before:
            found = patients_alike(patient.centre, now).exclude(pk=patient.pk)
            ask_about(found, acknowledged(self.request))


def named_by(patient: Patient) -> dict[str, Any]:
    """What tells a person: the names and the date of birth."""
    present = PatientIdentity.objects.filter(patient=patient).first()
    names = ("family_name", "given_name", "birth_date")
    return {name: getattr(present, name, "") for name in names}


def identity_answer(identity: PatientIdentity) -> Response:
    body = IdentitySerializer(identity).data
    return Response(body, headers={"ETag": f'"{identity.version}"'})


class CasesFilter(CaseFilter):
    """The filters of the case list, and the cases of one patient."""

    patient = django_filters.CharFilter(field_name="patient__code")
    updated_since = None


class CaseViewSet(RecordViewSet):
    """Cases: one tumour each."""

    serializer_class = CaseSerializer
    record_actions = actions
    queryset = Case.objects.all()
    related = ("centre", "patient")
    filterset_class = CasesFilter
    needs = {**READ_AND_WRITE, "verify": {Permission.VERIFY_CASES}}

    def make(self, **given: Any) -> Case:
        return actions.create_case(**given)

    @extend_schema(request=NothingSerializer, parameters=[IF_MATCH, ETAG])
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, code: str) -> Response:
        """Declare a draft complete: each needed field has a value or a reason."""
        return self.change_state(request, code, actions.complete_case)

    @extend_schema(request=NothingSerializer, parameters=[IF_MATCH, ETAG])
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, code: str) -> Response:
        """Lock a complete case."""
        return self.change_state(request, code, actions.verify_case)

    @extend_schema(request=ReasonSerializer, parameters=[IF_MATCH, ETAG])
    @action(detail=True, methods=["post"])
    def amend(self, request: Request, code: str) -> Response:
        """Open a verified case for correction, with a reason."""
        case, version = self.find(code), expected_version(request)
        return self.changed(
            actions.amend_case,
            by=person_of(request),
            case=case,
            version=version,
            reason=reason_given(request),
        )

    def change_state(self, request: Request, code: str, change: Any) -> Response:
        case, version = self.find(code), expected_version(request)
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        return self.changed(change, by=person_of(request), case=case, version=version)


class PartsOfCase(django_filters.FilterSet):
    case = django_filters.CharFilter(field_name="case__code")
    patient = django_filters.CharFilter(field_name="case__patient__code")


class MriStudyViewSet(RecordViewSet):
    """MRI examinations and their readings."""

    serializer_class = MriStudySerializer
    record_actions = actions
    queryset = MriStudy.objects.all()
    related = ("case",)
    filterset_class = PartsOfCase

    def make(self, **given: Any) -> MriStudy:
        return actions.create_mri_study(**given)


class OperationViewSet(RecordViewSet):
    """Operations; the index operation is time zero of its case."""

    serializer_class = OperationSerializer
    record_actions = actions
    queryset = Operation.objects.all()
    related = ("case",)
    filterset_class = PartsOfCase

    def make(self, **given: Any) -> Operation:
        return actions.create_operation(**given)

    @extend_schema(request=MakeIndexSerializer, parameters=[IF_MATCH, ETAG])
    @action(detail=True, methods=["post"], url_path="make-index")
    def make_index(self, request: Request, code: str) -> Response:
        """Count the follow-up from this operation, with a reason."""
        operation, version = self.find(code), expected_version(request)
        serializer = MakeIndexSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return self.changed(
            actions.change_index_operation,
            by=person_of(request),
            operation=operation,
            version=version,
            **serializer.validated_data,
        )


class PartsOfOperation(django_filters.FilterSet):
    operation = django_filters.CharFilter(field_name="operation__code")
    case = django_filters.CharFilter(field_name="operation__case__code")


class ComplicationViewSet(RecordViewSet):
    """Adverse events of operations."""

    serializer_class = ComplicationSerializer
    record_actions = actions
    queryset = Complication.objects.all()
    related = ("operation__case",)
    filterset_class = PartsOfOperation

    def make(self, **given: Any) -> Complication:
        return actions.create_complication(**given)
