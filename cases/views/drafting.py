"""How the pages with forms keep drafts: found on opening, kept while typing."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.forms.utils import ErrorDict
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases import drafts
from cases.models import Case, Draft, Patient
from cases.views.finding import person_of
from registry.models import User

TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)


class DraftingMixin:
    """What a form page does about drafts. The page says where its draft belongs."""

    request: HttpRequest
    record: Any
    draft: Draft | None = None
    typed: QueryDict | None = None

    # --- what a page may say differently

    @property
    def title(self) -> str:
        raise NotImplementedError

    @property
    def names_person(self) -> bool:
        """Whether the form asks for a name."""
        return False

    @property
    def by(self) -> User:
        """The person who asks."""
        return person_of(self.request)

    @property
    def address(self) -> str:
        """The form's own address, by which its draft is opened again."""
        return self.request.path

    @property
    def about(self) -> tuple[Patient | None, Case | None]:
        """Of whom and of which tumour the form speaks."""
        case: Case = self.case  # type: ignore[attr-defined]
        return case.patient, case

    @property
    def draft_token(self) -> str:
        """What stands for a patient who is not entered yet."""
        return ""

    @property
    def draft_title(self) -> str:
        return self.title

    def belongs_here(self, typed: QueryDict) -> bool:
        """Whether what was typed is about what this page was opened for."""
        return True

    # --- opening

    @property
    def place(self) -> drafts.Place:
        patient, case = self.about
        return drafts.Place(self.by, self.address, patient, case, self.draft_token)

    def open_draft(self) -> None:
        """Find what was typed here before; ``?draft=`` takes it in any case."""
        place = self.place
        self.draft = drafts.find(place)
        typed = drafts.content_of(self.draft, place) if self.draft else None
        if typed and ("draft" in self.request.GET or self.belongs_here(typed)):
            self.typed = typed

    def show_as_typed(self, forms: list[Any]) -> None:
        """Fill in the draft as it was typed, without judging what is half done."""
        if self.typed is None:
            return
        for form in forms:
            form.data, form.is_bound = self.typed, True
            form._errors = ErrorDict()

    def opened_version(self) -> Any:
        """The version to send along: as it was opened, also after a refusal."""
        if self.record is None:
            return ""
        known = self.request.POST.get("version")
        if known is None and self.typed is not None:
            known = self.typed.get("version", "")
        return self.record.version if known is None else known

    def form_token(self) -> str:
        """The token of the form: as it was sent, as it was drafted, or a new one."""
        sent = self.request.POST.get("form_token", "")
        drafted = self.typed.get("form_token", "") if self.typed else ""
        known = (token for token in (sent, drafted) if TOKEN.fullmatch(str(token)))
        return str(next(known, uuid.uuid4().hex))

    def draft_context(self) -> dict[str, Any]:
        shown = self.draft if self.typed is not None else None
        known = self.refused or shown
        return {
            "draft": self.draft,
            "draft_code": known.code if known else "",
            "draft_is_shown": shown is not None,
            "draft_is_outdated": self.is_outdated(),
            "draft_version": known.version if known else self.sent_version,
            "draft_time": time_words(self.draft.saved_at) if self.draft else "",
            "address": self.address,
        }

    def is_outdated(self) -> bool:
        """Whether the row was saved after the draft was begun."""
        return (
            self.typed is not None
            and self.record is not None
            and str(self.opened_version()) != str(self.record.version)
        )

    # --- keeping

    refused: Draft | None = None

    @property
    def sent_version(self) -> int:
        """The version of the draft that the page knows."""
        text = self.request.POST.get("draft_version", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0

    def keep_draft(self) -> HttpResponse:
        """Keep what was typed; 409 tells the page that another window was faster."""
        try:
            draft = self.kept()
        except drafts.DraftChanged as error:
            return draft_answer(error.current, 409)
        except ValueError:
            return JsonResponse({}, status=413)
        return draft_answer(draft)

    def kept(self) -> Draft:
        return drafts.keep(
            self.place,
            self.request.POST,
            title=self.draft_title,
            names_person=self.names_person,
            version=self.sent_version,
        )

    def keep_refused(self) -> None:
        """A form that was refused is a draft as well; its page stays the newest."""
        with suppress(drafts.DraftChanged, ValueError):
            self.refused = self.kept()

    def drop_draft(self) -> None:
        drafts.drop(self.place, version=self.sent_version)


def draft_answer(draft: Draft | None, status: int = 200) -> JsonResponse:
    """What the page needs to know of a draft; version 0 where there is none."""
    if draft is None:
        return JsonResponse({"version": 0}, status=status)
    told = {
        "version": draft.version,
        "time": time_words(draft.saved_at),
        "open_url": open_url(draft),
        "discard_url": reverse("cases:discard-draft", args=[draft.code]),
    }
    return JsonResponse(told, status=status)


def time_words(instant: Any) -> str:
    """The time today, else the day and the time."""
    local = timezone.localtime(instant)
    today = local.date() == timezone.localdate()
    return local.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")


def typed_rows(user: User) -> list[dict[str, Any]]:
    """The person's drafts for the worklist, the latest first."""
    own = Draft.objects.visible_to(user).select_related("case", "patient")
    return [
        {
            "draft": draft,
            "about": str(draft.case or draft.patient or _("patient not entered yet")),
            "time": time_words(draft.saved_at),
            "open_url": open_url(draft),
        }
        for draft in own.order_by("-saved_at", "-pk")
    ]


def open_url(draft: Draft) -> str:
    mark = "&" if "?" in draft.place else "?"
    return f"{draft.place}{mark}draft={draft.code}"


@require_POST
def discard_draft(request: HttpRequest, draft: str) -> HttpResponse:
    """Throw a draft away; back to its form if that is where the wish came from."""
    own = Draft.objects.visible_to(person_of(request))
    found = own.filter(code=draft).first()
    if found is None:
        raise Http404(_("No such draft."))
    found.delete()
    if "again" in request.POST:
        return redirect(found.place)
    messages.success(request, _("The draft was thrown away."))
    return redirect("outcomes:worklist")
