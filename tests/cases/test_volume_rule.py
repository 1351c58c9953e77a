"""R32: the volume by three diameters agrees with them within five in a hundred."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from cases import actions
from cases.models import Case
from registry.permissions import Role
from tests.factories import make_case, make_centre, make_user
from tests.registry.api_client import Api, codes_of

pytestmark = pytest.mark.django_db
# REFERENCE 2.3: 51 x 14 x 15 mm are 5.61 cm3 by pi/6 and 5.36 by half the product.
DIAMETERS = {
    "size_cc_mm": Decimal(51),
    "size_ap_mm": Decimal(14),
    "size_tr_mm": Decimal(15),
    "volume_method": "ellipsoid_pi6",
}


@pytest.fixture
def case() -> Case:
    centre = make_centre()
    return make_case(centre, by=make_user(Role.SURGEON, centre, password=None))


def save(case: Case, volume: str, **values: object) -> None:
    given = {**DIAMETERS, "volume_cm3": Decimal(volume), **values}
    actions.update_record(
        by=case.created_by, record=case, values=given, version=case.version
    )


@pytest.mark.parametrize("volume", ["5.34", "5.36", "5.61", "5.88"])
def test_a_volume_within_five_in_a_hundred_is_taken(case: Case, volume: str) -> None:
    save(case, volume)
    case.refresh_from_db()
    assert case.volume_cm3 == Decimal(volume)


@pytest.mark.parametrize("volume", ["5.31", "5.91", "2.90", "8.30", "56.1"])
def test_a_volume_further_off_is_refused(case: Case, volume: str) -> None:
    with pytest.raises(ValidationError) as refused:
        save(case, volume)
    assert set(refused.value.error_dict) == {"volume_cm3"}
    assert "5.61" in str(refused.value)


def test_another_method_may_give_another_volume(case: Case) -> None:
    save(case, "8.30", volume_method="segmentation")


def test_changing_a_diameter_asks_again_at_the_api(case: Case) -> None:
    save(case, "5.61")
    case.refresh_from_db()
    answer = Api(case.created_by).patch(
        f"cases/{case.code}/", {"size_cc_mm": 40}, case.version
    )
    assert (answer.status_code, set(codes_of(answer))) == (400, {"volume_cm3"})
