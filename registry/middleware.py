"""What every request passes through, in the order of the MIDDLEWARE setting."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

import pghistory
import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.signals import got_request_exception
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg2.errors import DiskFull

from registry.local_time import use_clock_of
from registry.problems import is_api, plain_problem

logger = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 5


class UnavailableDatabaseMiddleware:
    """Says plainly that the database is away, instead of a page about a broken program.

    An exception of an inner middleware never arrives here as an exception: Django turns
    it into a 500 at the layer where it happens. Its signal tells what it was.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        got_request_exception.connect(mark_unavailable_database)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        error = getattr(request, "database_unavailable", None)
        if response.status_code == 500 and error is not None:
            return unavailable(request, error)
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if means_unavailable(exception):
            logger.error("database unavailable", exc_info=exception)
            return unavailable(request, exception)
        return None


def means_unavailable(error: BaseException | None) -> bool:
    """Whether the database went away rather than refused what it was given.

    A server that dies while it answers leaves an error of the bare base class.
    """
    lost = isinstance(error, OperationalError | InterfaceError)
    return lost or type(error) is DatabaseError


def means_full_disk(error: BaseException) -> bool:
    return isinstance(error.__cause__, DiskFull)


def mark_unavailable_database(request: HttpRequest, **kwargs: object) -> None:
    error = sys.exc_info()[1]
    if means_unavailable(error):
        request.database_unavailable = error  # type: ignore[attr-defined]


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """503 that needs neither database nor session: a page, or problem+json for the API.

    The outcome of a commit that was under way is unknown, so the text does not promise.
    A full disk is told as one: trying again does not help, and nothing was saved.
    """
    if means_full_disk(error):
        return storage_full(request)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS), "Cache-Control": "no-store"}
    if not is_api(request):
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers=headers)
    return plain_problem(
        503,
        "database_unavailable",
        _("The registry cannot reach its database"),
        _(
            "Try again in a few seconds. If you sent a change, read the record first:"
            " it may or may not have been saved."
        ),
        headers,
    )


def storage_full(request: HttpRequest) -> HttpResponse:
    """507: the disk of the database has no room."""
    headers = {"Cache-Control": "no-store"}
    if not is_api(request):
        page = render_to_string("507.html")
        return HttpResponse(page, status=507, headers=headers)
    return plain_problem(
        507,
        "storage_full",
        _("The disk of the registry is full"),
        _("Nothing was saved. Tell the administrator of the registry."),
        headers,
    )


class SessionLimitMiddleware:
    """Ends a session after idle minutes and after absolute hours.

    A request that the page makes by itself (``X-Background: 1``) does not count as
    activity: polling never keeps an abandoned screen signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and not is_api(request):
            now = int(time.time())
            if self.expired(request, now):
                logout(request)
                return self.signed_out(request)
            self.note_activity(request, now)
        return self.get_response(request)

    def expired(self, request: HttpRequest, now: int) -> bool:
        began = request.session.get("began_at", now)
        seen = request.session.get("seen_at", now)
        return (
            now - seen > settings.SESSION_COOKIE_AGE
            or now - began > settings.SESSION_ABSOLUTE_AGE
        )

    def note_activity(self, request: HttpRequest, now: int) -> None:
        request.session.setdefault("began_at", now)
        background = request.headers.get("X-Background") == "1"
        if not background and now - request.session.get("seen_at", 0) >= 30:
            request.session["seen_at"] = now

    def signed_out(self, request: HttpRequest) -> HttpResponse:
        messages.info(request, _("You were signed out after a time without activity."))
        if request.headers.get("HX-Request"):
            sign_in = {"HX-Redirect": resolve_url(settings.LOGIN_URL)}
            return HttpResponse(status=401, headers=sign_in)
        return redirect_to_login(request.get_full_path())


class LocalTimeMiddleware:
    """Shows and reads days by the clock of the person, and of nobody afterwards.

    Views of the API, which know the person by a token, set it themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            use_clock_of(request.user)
            return self.get_response(request)
        finally:
            timezone.deactivate()


class AuditContextMiddleware:
    """Gives every history row of a request its user, request and door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
            return self.get_response(request)
        door = "api" if is_api(request) else "browser"
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        with pghistory.context(
            user=request.user.pk, request=str(request_id), door=door
        ):
            return self.get_response(request)


class WrongVerbMiddleware:
    """Gives a refused verb a page; Django answers 405 with nothing to read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        in_api = request.path_info.startswith("/api/")
        if response.status_code != 405 or in_api or response.content:
            return response
        page = render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page


class NoStoreMiddleware:
    """Nothing that a signed-in person saw stays in a cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response
