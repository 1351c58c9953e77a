"""Drafts: what was typed and not saved, kept for the person who typed it.

A draft is found only by the whole key of the form that asks for it, and its content can
be decrypted only under that key: what was typed about one patient never stands in the
form of another. Opening, keeping and dropping take the version that the page knows, so
that two windows never overwrite each other.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.encoding import force_bytes

from cases.models import Case, Draft, Patient
from registry.models import User

NONCE_BYTES = 12
LARGEST_CONTENT = 400_000
# What a form sends beside the answers.
BOOKKEEPING = frozenset(
    {"csrfmiddlewaretoken", "keep_draft", "draft_version", "acknowledge"}
)


class DraftChanged(Exception):
    """Another window keeps a draft of the same form; holds it, or None if it is gone."""

    def __init__(self, current: Draft | None) -> None:
        self.current = current
        super().__init__("the draft was changed in another window")


@dataclass(frozen=True)
class Place:
    """The key of a draft: one person, one patient, one form.

    ``address`` is the form's own and names form, row and kind of visit; ``token`` is
    that of a form for a patient who is not entered yet, else empty.
    """

    user: User
    address: str
    patient: Patient | None = None
    case: Case | None = None
    token: str = ""

    @property
    def key(self) -> dict[str, Any]:
        return {
            "user": self.user.pk,
            "patient": self.patient,
            "case": self.case,
            "place": self.address,
            "token": self.token,
        }

    @property
    def words(self) -> bytes:
        """The key as bytes, to which the content is bound."""
        rows = [row.pk if row else None for row in (self.patient, self.case)]
        return json.dumps([self.user.pk, *rows, self.address, self.token]).encode()


def find(place: Place) -> Draft | None:
    """The draft of a form, if the person may still have it."""
    return Draft.objects.visible_to(place.user).filter(**place.key).first()


def keep(
    place: Place, content: QueryDict, *, title: str, names_person: bool, version: int
) -> Draft:
    """Keep what was typed; ``version`` is that of the draft the page knows, or 0.

    Raises DraftChanged where another window kept something meanwhile.
    """
    values: dict[str, Any] = {
        "content": encrypted(place, content),
        "title": title[:120],
        "names_person": names_person,
        "saved_at": timezone.now(),
    }
    with transaction.atomic():
        rows = Draft.objects.select_for_update().filter(**place.key)
        current = rows.first()
        if (current.version if current else 0) != version:
            raise DraftChanged(current)
        if current is None:
            return first_draft(place, values)
        rows.update(version=version + 1, **values)
    current.version, current.saved_at = version + 1, values["saved_at"]
    return current


def first_draft(place: Place, values: dict[str, Any]) -> Draft:
    key = place.key
    try:
        with transaction.atomic():
            return Draft.objects.create(user_id=key.pop("user"), **key, **values)
    except IntegrityError as error:
        raise DraftChanged(find(place)) from error


def drop(place: Place, *, version: int) -> None:
    """Forget the draft whose content was saved; that of another window stays."""
    Draft.objects.filter(**place.key, version=version).delete()


def encrypted(place: Place, content: QueryDict) -> bytes:
    """The answers as they were typed, for this place alone.

    Raises ValueError for more than any form can hold.
    """
    kept = [each for each in content.lists() if each[0] not in BOOKKEEPING]
    plain = json.dumps(kept).encode()
    if len(plain) > LARGEST_CONTENT:
        raise ValueError("no form holds as much")
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + ciphers()[0].encrypt(nonce, plain, place.words)


def content_of(draft: Draft, place: Place) -> QueryDict | None:
    """What was typed; None if it was not typed at this place, or the key is lost."""
    sealed = bytes(draft.content)
    for cipher in ciphers():
        try:
            plain = cipher.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.words
            )
        except InvalidTag:
            continue
        content = QueryDict(mutable=True)
        for name, values in json.loads(plain):
            content.setlist(name, values)
        return content
    return None


def ciphers() -> list[AESGCM]:
    """The present key first, then those before a change of SECRET_KEY."""
    known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [
        AESGCM(hashlib.sha256(b"myelon.drafts:" + force_bytes(secret)).digest())
        for secret in known
    ]


def clear_expired() -> int:
    """Delete what nobody came back to in thirty days; how many."""
    return Draft.objects.expired().delete()[0]
