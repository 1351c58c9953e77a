"""Every write about people, centres, roles and tokens; each is an audit event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from registry import audit
from registry.accounts import end_sessions
from registry.invitations import invitation_link
from registry.models import ApiToken, Centre, DetailGrant, Membership, User
from registry.permissions import Permission, Role, can, check

LONGEST_TOKEN_DAYS = 365
LONGEST_GRANT_DAYS = 366


@contextmanager
def refused_if_taken(message: str) -> Iterator[None]:
    """Two administrators may add the same at once: validation saw neither of them."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError(message, "unique") from error


@transaction.atomic
def create_centre(
    *,
    by: User,
    code: str,
    name: str,
    is_synthetic: bool = False,
    time_zone: str = "",
) -> Centre:
    """A new centre that enters cases."""
    check(by, Permission.ADMINISTER)
    centre = Centre(
        code=code, name=name, is_synthetic=is_synthetic, time_zone=time_zone
    )
    centre.full_clean()
    with refused_if_taken(_("A centre with this code exists.")):
        centre.save()
    audit.record("centre.created", actor=by, target=code, centre_id=centre.pk)
    return centre


@transaction.atomic
def update_centre(
    *, by: User, centre: Centre, name: str, is_active: bool, time_zone: str
) -> Centre:
    """Rename a centre, set its clock, or close it for new cases."""
    check(by, Permission.ADMINISTER)
    centre.name, centre.is_active, centre.time_zone = name, is_active, time_zone
    centre.full_clean()
    centre.save(update_fields=["name", "is_active", "time_zone"])
    audit.record(
        "centre.changed",
        actor=by,
        target=centre.code,
        centre_id=centre.pk,
        is_active=is_active,
        time_zone=time_zone,
    )
    return centre


@transaction.atomic
def create_person(*, by: User, email: str, name: str) -> User:
    """A person without a password; they set one by the link they are sent."""
    check(by, Permission.ADMINISTER)
    with refused_if_taken(_("A person with this e-mail address exists.")):
        user = User.objects.create_user(email, None, name=name)
    audit.record("person.created", actor=by, target=f"person:{user.pk}")
    return user


@transaction.atomic
def invite(*, by: User, person: User) -> str:
    """Path of the page on which the person sets a password."""
    check(by, Permission.ADMINISTER)
    if not person.is_active:
        raise ValidationError(_("Allow the sign-in first."), "inactive")
    audit.record("person.invited", actor=by, target=f"person:{person.pk}")
    return invitation_link(person)


@transaction.atomic
def set_active(*, by: User, person: User, is_active: bool) -> User:
    """Allow or stop sign-in. Stopping ends sessions and tokens at once."""
    check(by, Permission.ADMINISTER)
    if not is_active:
        _check_an_administrator_remains(without=person)
    person = User.objects.select_for_update().get(pk=person.pk)
    person.is_active = is_active
    person.save(update_fields=["is_active"])
    if not is_active:
        ApiToken.objects.filter(user=person).delete()
        end_sessions(person)
    action = "person.activated" if is_active else "person.deactivated"
    audit.record(action, actor=by, target=f"person:{person.pk}")
    return person


@transaction.atomic
def grant_role(
    *, by: User | None, person: User, role: str, centre: Centre | None = None
) -> Membership:
    """Give a role; ``by`` is None only for the first administrator and demo sign-ins."""
    if by is not None:
        check(by, Permission.ADMINISTER)
    membership = Membership(user=person, role=role, centre=centre, created_by=by)
    membership.full_clean()
    with refused_if_taken(_("This person holds the role already.")):
        membership.save()
    audit.record(
        "role.granted",
        actor=by,
        target=f"person:{person.pk}",
        centre_id=centre.pk if centre else None,
        role=role,
    )
    return membership


@transaction.atomic
def end_role(*, by: User, membership: Membership) -> Membership:
    """Take a role away; it is gone with the next request."""
    check(by, Permission.ADMINISTER)
    if membership.role == Role.ADMINISTRATOR:
        _check_an_administrator_remains(without=membership.user)
    membership = Membership.objects.select_for_update().get(pk=membership.pk)
    if membership.ended_at is not None:
        return membership
    membership.ended_at, membership.ended_by = timezone.now(), by
    membership.save(update_fields=["ended_at", "ended_by"])
    audit.record(
        "role.ended",
        actor=by,
        target=f"person:{membership.user_id}",
        centre_id=membership.centre_id,
        role=membership.role,
    )
    return membership


def _check_an_administrator_remains(*, without: User) -> None:
    """Lock the administrators' roles, always in the same order: two who end each other's
    role at the same moment must not both succeed."""
    roles = Membership.objects.filter(
        role=Role.ADMINISTRATOR, ended_at__isnull=True
    ).order_by("pk")
    held = [role.user_id for role in roles.select_for_update(of=("self",))]
    others = User.objects.filter(pk__in=held, is_active=True).exclude(pk=without.pk)
    if not others.exists():
        raise ValidationError(
            _("The registry needs an administrator. Appoint another one first."),
            "last_administrator",
        )


@transaction.atomic
def grant_detail(*, by: User, person: User, purpose: str, until: date) -> DetailGrant:
    """Let a person read finer de-identified data for a purpose, to the end of a day.

    Raises PermissionDenied, and ValidationError for oneself, for a person whose role
    reads no rows of all centres, and for a day that is over or too far away.
    """
    check(by, Permission.GRANT_DETAIL)
    if not can(person, Permission.READ_FACTS):
        message = _("Only analysts and registry coordinators read rows of all centres.")
        raise ValidationError({"person": ValidationError(message, "role")})
    if until > timezone.localdate() + timedelta(days=LONGEST_GRANT_DAYS):
        message = _("Choose a day within a year; grant it again then.")
        raise ValidationError({"until": ValidationError(message, "too_long")})
    grant = DetailGrant(
        user=person, purpose=purpose.strip(), until=until, granted_by=by
    )
    grant.full_clean()
    grant.save()
    _record_grant("grant.given", by, grant)
    return grant


@transaction.atomic
def end_grant(*, by: User, grant: DetailGrant) -> DetailGrant:
    """Take the finer data away; they are gone with the next request."""
    check(by, Permission.GRANT_DETAIL)
    grant = DetailGrant.objects.select_for_update().get(pk=grant.pk)
    if grant.ended_at is None:
        grant.ended_at, grant.ended_by = timezone.now(), by
        grant.save(update_fields=["ended_at", "ended_by"])
        _record_grant("grant.ended", by, grant)
    return grant


def _record_grant(action: str, by: User, grant: DetailGrant) -> None:
    audit.record(
        action,
        actor=by,
        target=f"person:{grant.user_id}",
        grant=grant.pk,
        purpose=grant.purpose,
        until=grant.until.isoformat(),
    )


@transaction.atomic
def create_token(
    *, by: User, owner: User, name: str, days: int, read_only: bool = True
) -> tuple[ApiToken, str]:
    """A new API token and its secret, which is never shown again."""
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise ValidationError(
            {
                "days": ValidationError(
                    _("Choose from 1 to %(most)s days."),
                    "days",
                    {"most": LONGEST_TOKEN_DAYS},
                )
            }
        )
    made: tuple[Any, str] = ApiToken.objects.create(
        user=owner, expiry=timedelta(days=days), name=name, read_only=read_only
    )
    audit.record(
        "token.created",
        actor=by,
        target=f"person:{owner.pk}",
        token=made[0].token_key,
        read_only=read_only,
        days=days,
    )
    return made


@transaction.atomic
def revoke_token(*, by: User, token: ApiToken) -> None:
    """End a token at once."""
    audit.record(
        "token.revoked",
        actor=by,
        target=f"person:{token.user_id}",
        token=token.token_key,
    )
    token.delete()
