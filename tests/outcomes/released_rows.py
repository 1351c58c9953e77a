"""The released facts in tests: kept up after facts were written past the actions."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from outcomes import released
from outcomes.models import ReleasedFacts


def released_rows(**conditions: Any) -> QuerySet[ReleasedFacts]:
    """Rows of the released facts as of now, by conditions on their columns."""
    released.renew()
    return ReleasedFacts.objects.filter(**conditions)
