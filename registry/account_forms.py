"""The forms of sign-in: allauth's, with the registry's words and without placeholders."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account import forms as account_forms
from allauth.mfa.base import forms as factor_forms
from allauth.mfa.totp import forms as totp_forms
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from registry import post, tasks
from registry.celery import enqueue
from registry.models import AskedMail

PASSWORD_HINT = _(
    "At least 10 characters. A sentence is easier to keep in mind than a word; "
    "spaces and every script are welcome."
)
CODE_HINT = _("Six digits from your authenticator app, or one of your recovery codes.")


class PlainWords:
    """Mixin: labels and hints of the registry; a placeholder is no label."""

    labels: ClassVar[dict[str, Any]] = {}
    hints: ClassVar[dict[str, Any]] = {}
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            field.help_text = self.hints.get(name, "")
            if name == "code":
                field.widget.attrs |= {"autocapitalize": "off", "spellcheck": "false"}


class SignInForm(PlainWords, account_forms.LoginForm):
    """Hands the lockout the address that was typed."""

    labels: ClassVar[dict[str, Any]] = {
        "login": _("E-mail address"),
        "password": _("Password"),
    }

    def user_credentials(self) -> dict[str, Any]:
        credentials: dict[str, Any] = super().user_credentials()
        credentials["login"] = credentials.get("email", "").lower()
        return credentials


class ReauthenticateForm(PlainWords, account_forms.ReauthenticateForm):
    labels: ClassVar[dict[str, Any]] = {"password": _("Password")}


class ForgottenPasswordForm(PlainWords, account_forms.ResetPasswordForm):
    labels: ClassVar[dict[str, Any]] = {"email": _("E-mail address")}

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """The same work for every address: a row, and the worker's bell."""
        person = self.users[0] if self.users else None
        post.ask(AskedMail.Kind.RESET, person, request)
        enqueue(tasks.send_mail)
        address: str = self.cleaned_data["email"]
        return address


class NewPasswordForm(PlainWords, account_forms.ResetPasswordKeyForm):
    labels: ClassVar[dict[str, Any]] = {
        "password1": _("New password"),
        "password2": _("New password, once more"),
    }
    hints: ClassVar[dict[str, Any]] = {"password1": PASSWORD_HINT}


class ChangePasswordForm(PlainWords, account_forms.ChangePasswordForm):
    labels: ClassVar[dict[str, Any]] = {
        "oldpassword": _("Present password"),
        "password1": _("New password"),
        "password2": _("New password, once more"),
    }
    hints: ClassVar[dict[str, Any]] = {"password1": PASSWORD_HINT}


class SecondFactorForm(PlainWords, factor_forms.AuthenticateForm):
    labels: ClassVar[dict[str, Any]] = {"code": _("Code")}
    hints: ClassVar[dict[str, Any]] = {"code": CODE_HINT}


class SecondFactorAgainForm(PlainWords, factor_forms.ReauthenticateForm):
    labels: ClassVar[dict[str, Any]] = {"code": _("Code")}
    hints: ClassVar[dict[str, Any]] = {"code": CODE_HINT}


class ActivateAppForm(PlainWords, totp_forms.ActivateTOTPForm):
    labels: ClassVar[dict[str, Any]] = {"code": _("Code from the app")}
    hints: ClassVar[dict[str, Any]] = {"code": _("Six digits, without spaces.")}
