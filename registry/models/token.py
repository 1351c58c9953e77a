from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):
    """A token for the REST API: shown once, stored as a digest, expiring."""

    name = models.CharField(_("name"), max_length=80)
    read_only = models.BooleanField(_("read only"), default=True)
    last_used_on = models.DateField(null=True, editable=False)

    class Meta(AbstractAuthToken.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"
