from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from registry.actions import grant_role
from registry.models import Centre, User
from registry.permissions import Role

DEMO_PASSWORD = "demo"  # noqa: S105  shown on the screen of every demo run
# e-mail, name, role, which centre (0 the first, 1 the second, None the registry)
DEMO_PEOPLE: tuple[tuple[str, str, Role, int | None], ...] = (
    ("surgeon@demo.example", "Demo Surgeon", Role.SURGEON, 0),
    ("surgeon.b@demo.example", "Demo Surgeon B", Role.SURGEON, 1),
    ("coordinator@demo.example", "Demo Coordinator", Role.COORDINATOR, 0),
    ("analyst@demo.example", "Demo Analyst", Role.ANALYST, None),
    ("admin@demo.example", "Demo Administrator", Role.ADMINISTRATOR, None),
)


class Command(BaseCommand):
    help = "Make the demo sign-ins, for a registry of synthetic cases only."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("Demo sign-ins exist only in local mode.")
        if Centre.objects.filter(is_synthetic=False).exists():
            raise CommandError("This registry has centres with patients.")
        centres = list(Centre.objects.exclude(code="PUBLISHED").order_by("pk")[:2])
        if len(centres) < 2:
            raise CommandError("Load the demo registry first: seed_demo.")
        for email, name, role, place in DEMO_PEOPLE:
            user, created = User.objects.get_or_create(
                email=email, defaults={"name": name, "is_demo": True}
            )
            if created:
                user.set_password(DEMO_PASSWORD)
                user.save(update_fields=["password"])
                centre = None if place is None else centres[place]
                grant_role(by=None, person=user, role=role, centre=centre)
