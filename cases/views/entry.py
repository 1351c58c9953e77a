"""Entering and correcting a record: find, check, bind, act, respond.

What was typed is never lost: every refusal shows the form again as it was sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from cases.models import Case
from cases.views.conflict import conflict_context
from cases.views.drafting import TOKEN, DraftingMixin
from cases.views.finding import find_case, person_of
from cases.views.returned import tell_if_returned
from registry import records
from registry.duplicates import LooksAlike, ask_about
from registry.forms import RecordForm
from registry.models import ClinicalQuerySet

# Not part of what a person typed: the same form sent again must look the same.
BOOKKEEPING = {"csrfmiddlewaretoken", "form_token", "draft_version", "acknowledge"}


def posted_version(request: HttpRequest) -> int:
    """The version the form was opened with; one that never fits if there is none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def acknowledged(request: HttpRequest) -> set[str]:
    """Codes of the rows of which the person said that they are others."""
    return set(request.POST.get("acknowledge", "").split())


def once_only(request: HttpRequest, create: Callable[[], str]) -> tuple[str, bool]:
    """Create at most one record for the form's token: (its code, whether it is new).

    Call inside a transaction. Raises SubmissionMismatch when the form was changed after
    it had been saved.
    """
    token = request.POST.get("form_token", "")
    if not TOKEN.fullmatch(token):
        return create(), True
    others = "+".join(sorted(acknowledged(request)))
    if others:  # what is said to be another record is a submission of its own
        token += f":{hashlib.sha256(others.encode()).hexdigest()[:32]}"
    content = {
        name: values for name, values in request.POST.lists() if name not in BOOKKEEPING
    }
    submission, first = records.once(
        by=person_of(request),
        key=f"form:{token}",
        content={"path": request.path, **content},
    )
    if first:
        submission.record_code = create()
        submission.save(update_fields=["record_code"])
    return submission.record_code, first


def place_refusal(forms: Iterable[RecordForm], error: ValidationError) -> None:
    """Put each error into the form that asks for its field, else on top of the first."""
    forms = list(forms)
    by_field = getattr(error, "error_dict", None) or {NON_FIELD_ERRORS: [error]}
    for name, errors in by_field.items():
        asking = next((form for form in forms if form.place_of(name)), forms[0])
        asking.add_refusal(ValidationError({name: errors}))


class EntryView(DraftingMixin, View):
    """One page that enters or corrects records. Subclasses fill in the steps."""

    template_name = "cases/record_form.html"
    section = ""
    request: HttpRequest
    case: Case  # not set on a page that makes one
    record: Any = None
    alike: dict[str, Any] | None = None
    # Forms that are valid or not, but are no records.
    extra_forms: Sequence[Any] = ()

    # --- the steps of a subclass

    def find(self) -> None:
        """Set ``case`` and, for a correction, ``record``; 404 if there is none."""
        self.case = find_case(self.request, self.kwargs["code"])

    def check(self) -> None:
        """Raise PermissionDenied or RecordLocked if writing is not possible."""
        raise NotImplementedError

    def make_form(self, posted: Any = None) -> RecordForm:
        raise NotImplementedError

    def create(self) -> str:
        """Save a new record and return its code."""
        raise NotImplementedError

    def update(self, version: int) -> None:
        """Save the corrected record."""
        raise NotImplementedError

    @property
    def case_code(self) -> str:
        return self.case.code if hasattr(self, "case") else ""

    # --- what all share

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.find()
        try:
            self.check()
        except records.RecordLocked as locked:
            messages.warning(request, str(locked))
            return redirect(self.done_url())
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.open_draft()
        self.forms = self.make_forms()
        self.show_as_typed([*self.forms, *self.extra_forms])
        return self.show()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "keep_draft" in request.POST:
            return self.keep_draft()
        return self.try_to_save()

    def try_to_save(self) -> HttpResponse:
        """Save and go on, or show what stands in the way; that is kept as a draft."""
        self.forms = self.make_forms(self.request.POST)
        asked = [*self.forms, *self.extra_forms]
        if not all([form.is_valid() for form in asked]):
            return self.show(422)
        try:
            with transaction.atomic():
                saved = self.save()
                self.drop_draft()
        except ValidationError as error:
            place_refusal(self.forms, error)
            return self.show(422)
        except records.StaleVersion as stale:
            return self.show_conflict(stale)
        except LooksAlike as found:
            self.alike = self.alike_context(found.codes)
            return self.show(409)
        except records.SubmissionMismatch as found:
            self.alike = self.alike_context([found.record_code], saved_before=True)
            return self.show(409)
        except (records.RecordLocked, IntegrityError) as why:
            self.forms[0].add_error(None, refusal_text(why))
            return self.show(409)
        messages.success(self.request, saved)
        if hasattr(self, "case"):
            tell_if_returned(self.request, self.case)
        return redirect(self.done_url())

    def make_forms(self, posted: Any = None) -> list[Any]:
        return [self.make_form(posted)]

    @property
    def form(self) -> RecordForm:
        return self.forms[0]

    def save(self) -> str:
        """Create or update, and say what happened."""
        if self.record is None:
            _code, new = once_only(self.request, self.create_asked)
            return self.saved_text() if new else _("This was saved already.")
        self.update(posted_version(self.request))
        self.ask_about_doubles()
        return self.saved_text()

    def create_asked(self) -> str:
        """What is wrong is told first; only then comes the question, and undoes the row."""
        made = self.create()
        self.ask_about_doubles(made)
        return made

    def rows_alike(self, made: str = "") -> ClinicalQuerySet | None:
        """The rows that may be the same as what is saved under the code ``made``."""
        return None

    def record_found(self, codes: list[str]) -> None:
        """Leave an event where being told of a row is reading an identity."""

    def url_of(self, code: str) -> str:
        """The page of a row of this kind, to compare."""
        return self.done_url()

    def ask_about_doubles(self, made: str = "") -> None:
        """Raise LooksAlike unless the person said that those are others."""
        rows = self.rows_alike(made)
        if rows is not None:
            ask_about(rows, acknowledged(self.request))

    def alike_context(
        self, codes: list[str], *, saved_before: bool = False
    ) -> dict[str, Any]:
        self.record_found(codes)
        links = [{"code": code, "url": self.url_of(code)} for code in codes]
        others = sorted({*codes, *acknowledged(self.request)})
        return {
            "rows": links,
            "acknowledge": " ".join(others),
            "saved_before": saved_before,
        }

    def saved_text(self) -> str:
        return _("%(what)s saved.") % {"what": self.title}

    def done_url(self) -> str:
        page = reverse("cases:detail", args=[self.case_code])
        return f"{page}#{self.section}" if self.section else page

    def show(self, status: int = 200) -> HttpResponse:
        if status != HTTPStatus.OK:
            self.keep_refused()
        return render(self.request, self.template_name, self.context(), status=status)

    def context(self) -> dict[str, Any]:
        sections = [view for form in self.forms for view in form_sections(form)]
        return {
            "case": getattr(self, "case", None),
            "forms": self.forms,
            "has_errors": any(form.errors for form in [*self.forms, *self.extra_forms]),
            "sections": sections,
            "outline": [outline_entry(view) for view in sections],
            "title": self.title,
            "record_version": self.opened_version(),
            "form_token": self.form_token(),
            "cancel_url": self.done_url(),
            "crumbs": self.crumbs(),
            "alike": self.alike,
            **self.draft_context(),
        }

    def crumbs(self) -> list[dict[str, str]]:
        page = reverse("cases:detail", args=[self.case_code])
        return [
            {"label": _("Cases"), "url": reverse("cases:list")},
            {"label": self.case_code, "url": page},
        ]

    def show_conflict(self, stale: records.StaleVersion) -> HttpResponse:
        opened = posted_version(self.request)
        self.keep_refused()
        context = self.context() | conflict_context(
            self.form, self.request.POST, stale, opened
        )
        return render(self.request, "cases/conflict.html", context, status=409)


def form_sections(form: Any) -> list[Any]:
    return getattr(form, "section_views", [])


def outline_entry(view: Any) -> dict[str, Any]:
    return {"id": view.spec.id, "title": view.spec.title, "errors": view.errors}


def refusal_text(why: Exception) -> str:
    """What to say when the record itself stands in the way."""
    if isinstance(why, IntegrityError):
        return _(
            "The database refused this, most likely because somebody saved the same at "
            "the same moment. Look at the record, then send it again."
        )
    return str(why)
