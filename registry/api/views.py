"""The base of every view of the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, cast

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from registry.api.filters import check_parameters
from registry.api.permissions import ANYBODY
from registry.api.schema import RegistrySchema
from registry.local_time import use_clock_of
from registry.models import User
from registry.permissions import Permission


class Negotiation(DefaultContentNegotiation):
    """By ``Accept``; a view that offers several forms also takes ``?format=``."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:  # noqa: A002
        # An unknown format is a mistake in a parameter, which is looked at later.
        return [one for one in renderers if one.format == format] or renderers


def person_of(request: Request) -> User:
    """Who asks; the permissions have refused strangers before."""
    return cast(User, request.user)


class StrictView(APIView):
    """Denies by default and refuses parameters that it does not know."""

    needs: ClassVar[Mapping[str, Collection[Permission]]] = {}
    parameters: ClassVar[tuple[str, ...]] = ()
    metadata_class = None
    content_negotiation_class = Negotiation
    schema = RegistrySchema()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        use_clock_of(request.user)
        check_parameters(self, request)


class UnknownRoute(StrictView):
    """JSON for every address of the API that does not exist."""

    needs = {"GET": ANYBODY}
    schema = None  # type: ignore[assignment]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.perform_authentication(request)
        if not request.user.is_authenticated:
            self.permission_denied(request)
        self.check_throttles(request)
        raise NotFound(_("There is no such address. Addresses end with a slash."))
