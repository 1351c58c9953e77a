"""What a person of one centre sees of the pool, and what nobody can compute from it."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404

from outcomes import disclosure, summaries
from outcomes.disclosure import hidden_groups
from outcomes.measures.volume import in_bands
from outcomes.models import CaseFacts
from outcomes.reading import summary_for
from registry.models import Centre, User
from registry.permissions import Role
from tests import factories
from tests.outcomes.registry_of_cases import fill

THRESHOLD = 10


def keys(count: int) -> tuple[tuple[str, ...], ...]:
    return tuple((str(n),) for n in range(count))


def hidden(pool: list[list[int]], own: list[list[int]] | None = None) -> set[int]:
    rows = tuple(tuple(row) for row in pool)
    mine = (
        tuple(tuple(row) for row in own) if own else tuple((0,) * len(r) for r in rows)
    )
    return set(hidden_groups(keys(len(rows)), rows, mine, THRESHOLD))


# --- which groups ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ([[30, 40], [50, 60]], set()),
        ([[0, 40], [50, 0]], set()),  # zeros describe nobody
        ([[3, 40], [50, 60], [70, 80]], {0, 1}),  # the smallest other one goes too
        ([[3, 40], [4, 60], [70, 80]], {0, 1, 2}),  # 3 + 4 would still be small
        ([[3, 40], [9, 60], [70, 80]], {0, 1}),
        ([[3, 40]], {0}),
        ([], set()),
    ],
)
def test_small_groups_and_their_complements(
    pool: list[list[int]], expected: set[int]
) -> None:
    assert hidden(pool) == expected


def test_the_rest_of_the_pool_is_protected_too() -> None:
    """25 in the pool, 20 of them in the own centre: 5 elsewhere."""
    pool, own = [[25, 40], [50, 60], [60, 70]], [[20, 0], [0, 0], [0, 0]]
    assert hidden(pool) == set()
    assert 0 in hidden(pool, own)


def test_an_own_centre_counted_later_hides() -> None:
    assert 0 in hidden([[25, 40], [50, 60], [60, 70]], [[26, 0], [0, 0], [0, 0]])


@pytest.mark.parametrize("seed", range(12))
def test_margins_do_not_give_a_cell_away(seed: int) -> None:
    """Two groupings; a reader knows every margin and every shown cell.

    For each small cell there are other tables that he cannot tell from the true one:
    with 1 or less and with the threshold or more in its place.
    """
    draw = random.Random(seed)
    names = tuple(itertools.product("abc", "xyz"))
    counts = tuple((draw.choice([0, 3, 7, 15, 40, 90]),) for _name in names)
    nothing = tuple((0,) for _name in names)
    found = hidden_groups(names, counts, nothing, THRESHOLD)
    table = {name: row[0] for name, row in zip(names, counts, strict=True)}
    for place, name in enumerate(names):
        if 0 < table[name] < THRESHOLD:
            assert place in found
    assert not alone_in_a_line(names, found, table)


def alone_in_a_line(names: Any, found: Any, table: dict[Any, int]) -> bool:
    """A hidden small cell whose row or column, known in sum, has no other hidden."""
    gone = {names[place] for place in found}
    for dimension in (0, 1):
        for value in {name[dimension] for name in names}:
            line = [name for name in names if name[dimension] == value]
            total = sum(table[name] for name in line)
            lost = [name for name in line if name in gone]
            known = total == 0 or total >= THRESHOLD
            if known and len(lost) == 1 and 0 < table[lost[0]] < THRESHOLD:
                return True
    return False


# --- people ---------------------------------------------------------------------------


@pytest.fixture
def two_centres(db: None) -> tuple[Centre, Centre]:
    own, other = factories.make_centre(), factories.make_centre()
    fill(own, 8, seed=1)
    fill(other, 8, seed=2)
    for centre_id in (own.pk, other.pk, None):
        summaries.refresh_scope(centre_id)
    return own, other


@pytest.mark.parametrize("role", [Role.ANALYST, Role.REGISTRY_COORDINATOR])
def test_roles_of_the_registry_see_the_pool_whole(
    role: Role, two_centres: tuple[Centre, Centre]
) -> None:
    answer = summary_for(factories.make_user(role), "recurrence", "compartment")
    assert "suppressed" not in str(answer)
    assert answer["scope"] == "pool"


@pytest.mark.parametrize("role", [Role.SURGEON, Role.COORDINATOR])
def test_people_of_a_centre_see_no_small_cell_of_the_pool(
    role: Role, two_centres: tuple[Centre, Centre]
) -> None:
    user = factories.make_user(role, two_centres[0])
    for measure, by, window in summaries.STORED:
        check_small_cells(user, measure, by, window)


def named(group: dict[str, Any]) -> str:
    return str(sorted(group["group"].items()))


def check_small_cells(user: User, measure: str, by: str, window: str) -> None:
    answer = summary_for(user, measure, by, window=window)
    operated = CaseFacts.objects.filter(has_operation=True)
    whole = summaries.compute(measure, by, {}, operated, window)
    if measure == "volume":
        whole = in_bands(whole, 3)
    asked = summaries.measure_of(measure)
    true = {named(group): group for group in whole["groups"]}
    for shown in answer["groups"]:
        assert not shown.keys() & {"deaths", "regrowths", "shift", "joa_recovery"}
        assert not shown.keys() & {"steps", "median_follow_up"}
        group = true.pop(named(shown), None)
        if group is None:
            assert disclosure.MERGED in shown["group"].values()
            assert shown["n"] >= THRESHOLD
            continue
        small = {
            part
            for part, cells in asked.cells(group).items()
            if any(0 < n < THRESHOLD for n in cells)
        }
        if "" in small:
            assert shown == {"group": group["group"], "suppressed": True}
        if "curve" in small:
            assert not shown.get("curve")
        if "worse" in small:
            assert shown.get("worse") is None
        if "sites" in small:
            assert shown.get("sites") is None
    if any(group.get("suppressed") for group in answer["groups"]):
        assert answer["test"] == {"estimable": False, "suppressed": True}
        assert answer["input_hash"] is None
        assert not answer.get("differences") and not answer.get("tests")


@pytest.mark.parametrize("seed", range(4))
def test_small_groups_are_told_together_if_that_is_safe(db: None, seed: int) -> None:
    """The group of the others is the total less what is shown, and large enough."""
    own, other = factories.make_centre(), factories.make_centre()
    for centre, cases in ((own, 5), (other, 40)):
        by = factories.surgeon_of(centre)
        for number in range(cases):
            kinds = ["intramedullary", "intradural_extramedullary", "extradural"]
            kind = kinds[0 if number % 3 else 1] if number % (8 + seed) else kinds[2]
            factories.make_case(centre, by=by, compartment=kind, operation=True)
    user = factories.make_user(Role.SURGEON, own, password=None)
    answer = summary_for(user, "volume", "compartment")
    exact = {
        group["group"]["compartment"]: group["n"]
        for group in summaries.compute("volume", "compartment")["groups"]
    }
    shown = {g["group"]["compartment"]: g["n"] for g in answer["groups"]}
    together = shown.pop(disclosure.MERGED)
    assert together >= THRESHOLD
    assert shown and shown.items() <= exact.items()
    assert together == sum(exact.values()) - sum(shown.values())
    assert "suppressed" not in answer


def test_the_own_centre_is_seen_whole(two_centres: tuple[Centre, Centre]) -> None:
    own, other = two_centres
    user = factories.make_user(Role.SURGEON, own)
    answer = summary_for(user, "recurrence", "compartment", scope=own.code)
    assert "suppressed" not in str(answer)
    assert (answer["scope"], answer["stale"]) == (own.code, False)
    with pytest.raises(Http404):
        summary_for(user, "recurrence", scope=other.code)
    with pytest.raises(Http404):
        summary_for(user, "recurrence", scope="NOWHERE")


@pytest.mark.django_db
def test_an_analyst_sees_no_single_centre() -> None:
    centre = factories.make_centre()
    with pytest.raises(Http404):
        summary_for(factories.make_user(Role.ANALYST), "volume", scope=centre.code)


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, None])
def test_others_see_no_summary(role: Role | None) -> None:
    with pytest.raises(PermissionDenied):
        summary_for(factories.make_user(role), "recurrence")


def test_filters_on_the_pool_are_for_the_registry(
    two_centres: tuple[Centre, Centre], settings: Any
) -> None:
    """The difference of two filters would single out patients of other centres."""
    settings.RELEASE_K = 1
    own = two_centres[0]
    surgeon, analyst = (
        factories.make_user(Role.SURGEON, own),
        factories.make_user(Role.ANALYST),
    )
    with pytest.raises(ValidationError):
        summary_for(surgeon, "volume", filters={"sex": "F"})
    mine = summary_for(surgeon, "volume", filters={"sex": "F"}, scope=own.code)
    everyone = summary_for(analyst, "volume", filters={"sex": "F"})
    assert 0 < mine["n_cases"] <= everyone["n_cases"]
    assert everyone["filters"] == {"sex": "F"}
    with pytest.raises(ValidationError) as refused:
        summary_for(analyst, "volume", filters={"surgery_date_after": "2015-01-01"})
    assert list(refused.value.error_dict) == ["surgery_date_after"]


@pytest.mark.django_db
def test_stored_and_live_numbers_are_the_same() -> None:
    case = factories.make_case(operation=True)
    user = factories.make_user(Role.REGISTRY_COORDINATOR)
    live = summary_for(user, "recurrence", "compartment", scope=case.centre.code)
    summaries.refresh_scope(case.centre_id)
    stored = summary_for(user, "recurrence", "compartment", scope=case.centre.code)
    filtered = summary_for(
        user, "recurrence", "compartment", {"status": "draft"}, case.centre.code
    )
    for answer in (live, stored, filtered):
        answer["as_of"], answer["filters"] = None, None
    assert live == stored == filtered


@pytest.mark.django_db
def test_a_stale_row_says_so() -> None:
    case = factories.make_case(operation=True)
    user = factories.make_user(Role.SURGEON, case.centre)
    summaries.refresh_scope(case.centre_id)
    factories.make_mri(case, purpose="followup")
    answer = summary_for(user, "recurrence", scope=case.centre.code)
    assert answer["stale"] is True
    assert answer["groups"][0]["assessed"] == 0


@pytest.mark.django_db
def test_a_large_pool_is_shown(settings: Any) -> None:
    """With enough patients everywhere nothing is hidden, but the thin end of a curve."""
    settings.DISCLOSURE_THRESHOLD = 3
    own, other = factories.make_centre(), factories.make_centre()
    fill(other, 40, seed=3)
    fill(own, 2, seed=4)
    user = factories.make_user(Role.SURGEON, own)
    answer = summary_for(user, "progression")
    (group,) = answer["groups"]
    whole = summaries.compute("progression")["groups"][0]
    assert group["n"] == whole["n"]
    assert group["proportion"] == whole["proportion"]
    assert all(n == 0 or n >= 3 for n in group["curve"]["at_risk"])
    assert len(group["curve"]["days"]) < len(whole["curve"]["days"])
    assert "events" not in group["curve"]


def test_what_is_hidden_does_not_change_the_stored_numbers() -> None:
    payload = {
        "measure": "volume",
        "by": ["sex"],
        "n_cases": 3,
        "input_hash": "x",
        "test": {},
        "groups": [
            {"group": {"sex": "F"}, "n": 3, "operated": 0, "years": []},
        ],
    }
    before = str(payload)
    assert disclosure.for_other_centres(payload, None)["groups"][0]["suppressed"]
    assert str(payload) == before
