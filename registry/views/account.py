"""The own account: second factor, sessions, API tokens."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST, require_safe

from registry import actions
from registry.models import ApiToken


class TokenForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("What is it for"),
        max_length=80,
        help_text=gettext_lazy("For example “R on my laptop”."),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for"), min_value=1, max_value=365, initial=90
    )
    read_only = forms.BooleanField(
        label=gettext_lazy("Read only"), required=False, initial=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].unit = gettext_lazy("days")  # type: ignore[attr-defined]


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """What one is in the registry, and how one signs in."""
    tokens = ApiToken.objects.filter(user=request.user, expiry__gt=timezone.now())
    return render(
        request,
        "registry/account.html",
        {
            "memberships": request.user.current_memberships,  # type: ignore[union-attr]
            "tokens": tokens.order_by("-created"),
            "has_second_factor": request.user.authenticator_set.exists(),  # type: ignore[union-attr]
        },
    )


@method_decorator(reauthentication_required, name="dispatch")
class TokenCreate(View):
    """A token is made on a re-authenticated page and shown once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "registry/token_form.html", {"form": TokenForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = TokenForm(request.POST)
        if form.is_valid():
            token, secret = actions.create_token(
                by=request.user,  # type: ignore[arg-type]
                owner=request.user,  # type: ignore[arg-type]
                **form.cleaned_data,
            )
            return render(
                request,
                "registry/token_created.html",
                {"token": token, "secret": secret},
            )
        return render(request, "registry/token_form.html", {"form": form}, status=422)


@require_POST
def token_revoke(request: HttpRequest, key: str) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=request.user, token_key=key)
    actions.revoke_token(by=request.user, token=token)  # type: ignore[arg-type]
    messages.success(request, _("The token was revoked."))
    return redirect("account")
