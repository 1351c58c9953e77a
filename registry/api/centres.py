"""Centres over the API: the own ones, or all for people of the whole registry."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.viewsets import GenericViewSet

from registry.api.permissions import ANYBODY
from registry.api.views import StrictView
from registry.models import Centre, User
from registry.permissions import Permission, centres_with

VISIBLE_WITH = (
    Permission.READ_CASES,
    Permission.READ_FACTS,
    Permission.READ_CENTRE_FACTS,
    Permission.ADMINISTER,
)


class CentreSerializer(serializers.ModelSerializer[Centre]):
    class Meta:
        model = Centre
        fields = ["code", "name", "time_zone", "is_active", "is_synthetic"]
        read_only_fields = fields


class CentreViewSet(
    StrictView, ListModelMixin, RetrieveModelMixin, GenericViewSet[Centre]
):
    """Hospitals that enter cases."""

    needs = {"GET": ANYBODY}
    serializer_class = CentreSerializer
    queryset = Centre.objects.all()
    lookup_field = "code"
    lookup_value_regex = r"[A-Z0-9][A-Z0-9-]{1,11}"

    def get_queryset(self) -> QuerySet[Centre]:
        if getattr(self, "swagger_fake_view", False):
            return Centre.objects.none()
        return visible_centres(self.request.user)


def visible_centres(user: Any) -> QuerySet[Centre]:
    """The centres of the person; all with a right over the whole registry."""
    own: set[int] = set()
    for permission in VISIBLE_WITH:
        centres = centres_with(user, permission)
        if centres is None:
            return Centre.objects.all()
        own |= centres
    return (
        Centre.objects.filter(pk__in=own)
        if isinstance(user, User)
        else (Centre.objects.none())
    )
