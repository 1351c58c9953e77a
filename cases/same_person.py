"""Whether somebody of the same name and date of birth is a patient already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, Value

from cases.models import Patient
from registry.duplicates import wait_for_others
from registry.models import Centre, ClinicalQuerySet
from registry.sql import Folded, may_be


def patients_alike(centre: Centre, identity: Mapping[str, Any]) -> ClinicalQuerySet:
    """Patients of the centre that may be born on the same day under the same name, however spelled.

    Family and given name may have changed places. Whoever tells a person of what was
    found records that: it is a search among identities.
    """
    patients = Patient.objects.all()
    born = identity.get("birth_date")
    family, given = identity.get("family_name", ""), identity.get("given_name", "")
    if not born or not (family or given):
        return patients.none()
    wait_for_others(f"person:{centre.pk}")
    folded = patients.current().alias(
        family=Folded("identity__family_name"), given=Folded("identity__given_name")
    )
    return folded.filter(
        named(family, given) | named(given, family),
        may_be("identity__birth_date", born),
        identity__centre=centre,
    )


def named(family: str, given: str) -> Q:
    return Q(family=Folded(Value(family)), given=Folded(Value(given)))
