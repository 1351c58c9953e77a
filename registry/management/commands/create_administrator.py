"""The first administrator, asked for at the terminal or taken from the environment."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from registry import audit
from registry.actions import grant_role
from registry.models import User
from registry.permissions import Role


class Command(BaseCommand):
    help = (
        "Create an administrator. Without a terminal, from ADMIN_EMAIL, ADMIN_NAME and"
        " ADMIN_PASSWORD (or ADMIN_PASSWORD_FILE)."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        email = os.environ.get("ADMIN_EMAIL", "")
        try:
            if email:
                name = os.environ.get("ADMIN_NAME", "") or email
                create_administrator(email, name, password_from_environment())
            else:
                email = self.ask()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(self.style.SUCCESS(f"{email} may now sign in."))

    def ask(self) -> str:
        """Ask until the answers pass the same rules as in the browser."""
        if not sys.stdin.isatty():
            raise CommandError(
                "There is no terminal to ask at. Set ADMIN_EMAIL and ADMIN_PASSWORD."
            )
        while True:
            email = input("E-mail address: ").strip()
            name = input("Name: ").strip()
            password = getpass.getpass("Password (10 characters or more): ")
            if password != getpass.getpass("Password again: "):
                self.stderr.write("The two passwords differ.")
                continue
            try:
                create_administrator(email, name, password)
            except ValidationError as error:
                self.stderr.write("\n".join(error.messages))
                continue
            return email


def password_from_environment() -> str:
    file = os.environ.get("ADMIN_PASSWORD_FILE")
    password = Path(file).read_text().strip() if file else ""
    password = password or os.environ.get("ADMIN_PASSWORD", "")
    if not password:
        raise CommandError("ADMIN_PASSWORD or ADMIN_PASSWORD_FILE must be set.")
    return password


@transaction.atomic
def create_administrator(email: str, name: str, password: str) -> User:
    """Raises ValidationError for a known address or a weak password."""
    validate_password(password, User(email=email, name=name))
    user = User.objects.create_user(email, password, name=name)
    audit.record("person.created", actor=None, target=f"person:{user.pk}")
    grant_role(by=None, person=user, role=Role.ADMINISTRATOR)
    return user
