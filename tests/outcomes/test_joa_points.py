"""The points that a form of the JOA offers, against the codebook of scales."""

from __future__ import annotations

import pytest

from outcomes import choices
from outcomes.forms import VisitForm, item_name
from outcomes.models.joa import JOA_ITEMS

REVISED = "cervical17_rev"
# scale_codebook.csv, joa_cervical_1994_rev; the other forms have whole points only.
REVISED_POINTS = {
    "joa_ue_motor": [0, 1, 2, 3, 4],
    "joa_shoulder": [-2, -1, -0.5, 0],
    "joa_le_motor": [0, 0.5, 1, 1.5, 2, 2.5, 3, 4],
    "joa_ue_sens": [0, 0.5, 1, 1.5, 2],
    "joa_le_sens": [0, 0.5, 1, 1.5, 2],
    "joa_trunk_sens": [0, 0.5, 1, 1.5, 2],
    "joa_bladder": [0, 1, 2, 3],
}
WHOLE_POINTS = {"motor": [0, 1, 2, 3, 4], "sens": [0, 1, 2], "bladder": [0, 1, 2, 3]}
ITEMS = [
    (form, item)
    for form, items in JOA_ITEMS.items()
    for item in items
    if item != "joa_lumbar_total"
]


def offered(form: str, item: str) -> dict[float, str]:
    widget = VisitForm().fields[item_name(form, item)].widget
    return {float(code): str(label) for code, label in widget.choices if code}


@pytest.mark.parametrize(("form", "item"), ITEMS)
def test_a_form_offers_the_points_of_the_codebook(form: str, item: str) -> None:
    whole = WHOLE_POINTS[item.rsplit("_", 1)[1]] if item != "joa_shoulder" else []
    expected = REVISED_POINTS[item] if form == REVISED else whole
    assert list(offered(form, item)) == expected


@pytest.mark.parametrize(("form", "item"), ITEMS)
def test_every_whole_point_says_what_it_means(form: str, item: str) -> None:
    meanings = choices.JOA_ANCHORS[item]
    for point, label in offered(form, item).items():
        if point in meanings:
            assert label.endswith(f" – {meanings[point]}")
        else:
            assert form == REVISED and point % 1 == 0.5
    assert set(meanings) <= set(offered(form, item))
