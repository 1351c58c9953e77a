"""Tells a person that a save took a case back to draft."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from cases import completeness, writing
from cases.choices import CaseStatus
from cases.models import Case


def tell_if_returned(request: HttpRequest, case: Case) -> None:
    """``case`` as it was before the save."""
    if case.status not in writing.KEPT_WHOLE:
        return
    now = completeness.loaded(case.pk)
    if now.status != CaseStatus.DRAFT or now.is_void:
        return
    lacking = writing.in_words(completeness.of_case(now).labels)
    text = _(
        "Case %(code)s is a draft again, because this is missing now: %(what)s. Mark it "
        "complete when it is there; verification will be asked again."
    )
    messages.warning(request, text % {"code": case.code, "what": lacking})
