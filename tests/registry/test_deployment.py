"""The deployment check, as an operator runs it, with what production brings along."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from registry.checks import no_demo_sign_ins
from registry.embedded.places import BASE_DIR
from registry.models import User
from tests.factories import make_user
from tests.registry.test_settings import PRODUCTION

CHECK = ["check", "--deploy", "--fail-level", "WARNING"]


def manage(
    environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "registry.settings"}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_T11_the_deployment_check_is_clean() -> None:
    secrets = {"SECRET_KEY": "0123456789abcdef" * 4, "AUDIT_KEY": "fedcba98" * 8}
    secrets |= {"PSEUDONYM_KEY": "13579bdf" * 8, "EMAIL_URL": "smtp://mail.example.org"}
    answer = manage(PRODUCTION | secrets, *CHECK)
    assert answer.returncode == 0, answer.stderr
    assert "no issues" in answer.stdout


def test_mails_that_stay_in_the_log_are_named() -> None:
    answer = manage(PRODUCTION, *CHECK)
    assert answer.returncode == 1
    assert "registry.E002" in answer.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "AUDIT_KEY", "PSEUDONYM_KEY"])
def test_T11_production_does_not_start_without_its_secrets(name: str) -> None:
    environment = {key: value for key, value in PRODUCTION.items() if key != name}
    answer = manage(environment, *CHECK)
    assert answer.returncode != 0
    assert f"{name} must be set" in answer.stderr


def test_T11_production_does_not_start_with_debug() -> None:
    answer = manage(PRODUCTION | {"DEBUG": "true"}, *CHECK)
    assert answer.returncode != 0
    assert "never in production" in answer.stderr


def test_S17_production_cookies_are_bound_to_the_host() -> None:
    code = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE,"
        " s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY,"
        " s.SESSION_COOKIE_SAMESITE, s.SESSION_COOKIE_PATH, s.SESSION_COOKIE_DOMAIN)"
    )
    answer = manage(PRODUCTION, "shell", "--no-imports", "-c", code)
    assert answer.stdout.split() == [
        "__Host-session",
        "__Host-csrf",
        *["True"] * 4,
        "Lax",
        "/",
        "None",
    ]


@pytest.mark.django_db
def test_demo_sign_ins_are_an_error_in_production(settings: Any) -> None:
    make_user(None, password=None, is_demo=True)
    assert no_demo_sign_ins(None) == []
    settings.LOCAL = False
    assert [error.id for error in no_demo_sign_ins(None)] == ["registry.E001"]
    with pytest.raises(SystemCheckError, match="registry.E001"):
        call_command("check", deploy=True)
    User.objects.update(is_active=False)
    assert no_demo_sign_ins(None) == []
