"""Who may read finer de-identified data, for what and until when."""

from __future__ import annotations

from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST

from registry import actions
from registry.models import DetailGrant, User
from registry.permissions import PERMISSIONS, Permission, check
from registry.views.administration import ViewFunction, add_errors


def for_granting(view: ViewFunction) -> ViewFunction:
    """403 for everybody who grants nothing."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        check(request.user, Permission.GRANT_DETAIL)  # type: ignore[arg-type]
        return view(request, *args, **kwargs)

    return checked


def readers() -> Any:
    """People who read rows of all centres."""
    roles = [
        role for role, held in PERMISSIONS.items() if Permission.READ_FACTS in held
    ]
    return (
        User.objects.filter(
            is_active=True, memberships__role__in=roles, memberships__ended_at=None
        )
        .distinct()
        .order_by("name", "pk")
    )


class GrantForm(forms.Form):
    person = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("Person"),
        empty_label=gettext_lazy("Choose"),
        help_text=gettext_lazy("Analysts and registry coordinators, but not yourself."),
    )
    purpose = forms.CharField(
        label=gettext_lazy("Purpose"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "The study and its approval, and why bands and weeks do not do."
        ),
    )
    until = forms.DateField(
        label=gettext_lazy("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy(
            "Within a year. The day after, nothing is read any more."
        ),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["person"]
        field.queryset = readers().exclude(pk=by.pk)


@method_decorator(for_granting, name="dispatch")
@method_decorator(reauthentication_required, name="dispatch")
class Grants(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, GrantForm(by=request.user))  # type: ignore[arg-type]

    def post(self, request: HttpRequest) -> HttpResponse:
        form = GrantForm(request.POST, by=request.user)  # type: ignore[arg-type]
        if form.is_valid():
            try:
                actions.grant_detail(by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
            except ValidationError as error:
                add_errors(form, error)
            else:
                messages.success(request, _("Granted."))
                return redirect("administration:grants")
        return self.page(request, form, status=422)

    def page(
        self, request: HttpRequest, form: GrantForm, status: int = 200
    ) -> HttpResponse:
        grants = DetailGrant.objects.select_related("user", "granted_by", "ended_by")
        context = {
            "form": form,
            "current": [grant for grant in grants if grant.is_in_force],
            "past": [grant for grant in grants if not grant.is_in_force],
        }
        return render(request, "registry/grants.html", context, status=status)


@for_granting
@require_POST
@reauthentication_required
def grant_end(request: HttpRequest, pk: int) -> HttpResponse:
    grant = get_object_or_404(DetailGrant, pk=pk)
    actions.end_grant(by=request.user, grant=grant)  # type: ignore[arg-type]
    messages.success(request, _("The grant was ended."))
    return redirect("administration:grants")
