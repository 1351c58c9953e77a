"""What is asked at a visit, about a recurrence and about a patient's life."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from outcomes import choices
from outcomes.models import Recurrence, Visit, VitalStatus
from outcomes.models.joa import ALL_JOA_ITEMS, JOA_ITEMS, JOA_MAXIMUM, JOA_POINTS
from registry.form_layout import Levels, Score, Section
from registry.forms import DescribedFormField, RecordForm

REVISED = choices.JoaForm.CERVICAL_1994
JOA_MINIMUM = {REVISED: -2, choices.JoaForm.LUMBAR: -6}
PAIN_ROWS = tuple(choices.PAIN_NRS_FIELDS.values())


def item_name(form: str, item: str) -> str:
    """The control of a sub-score: each form of the JOA has controls of its own."""
    return f"{form}__{item}"


def joa_cards() -> tuple[Score, ...]:
    """One score card for each form of the JOA, shown when that form is chosen."""
    return tuple(
        Score(
            title=choices.JoaForm(form).label,
            items=tuple(item_name(form, item) for item in items),
            maximum=JOA_MAXIMUM[form],
            minimum=JOA_MINIMUM.get(choices.JoaForm(form), 0),
            show_if=f"joa_region={form}",
        )
        for form, items in JOA_ITEMS.items()
    )


def by_points(option: tuple[str, str]) -> float:
    return float(option[0])


def points(form: str, item: str) -> list[tuple[str, str]]:
    """The points that an item has on a form."""
    meaning = choices.JOA_ANCHORS.get(item, {})
    return [
        (f"{value:g}", in_words(value, meaning.get(value)))
        for value in JOA_POINTS[form][item]
    ]


def in_words(value: float, meaning: Any) -> str:
    """``3 – chopsticks, awkwardly``; the number alone between the points."""
    number = f"{value:g}".replace("-", "−")
    return f"{number} – {meaning}" if meaning else number


class VisitForm(RecordForm):
    """One examination; windows say which, scores are summed, never typed."""

    model = Visit
    sections = (
        Section(
            "visit",
            _("Visit"),
            ("visit_type", "visit_date", "mode", "assessor"),
            more=("reported_day", "remark"),
        ),
        Section(
            "scores",
            _("Scores"),
            ("mmcs", "joa_region", *joa_cards()),
            more=("mmcs_version",),
        ),
        Section(
            "pain",
            _("Pain"),
            ("pain_present", "pain_distribution", "pain_nrs_kind", *PAIN_ROWS),
            more=("pain_levels", "allodynia", "pain_medication"),
        ),
        Section(
            "neurology",
            _("Neurology"),
            ("sensory_deficit", "sensory_level", "motor_mrc_min", "gait", "bladder"),
            more=("bowel", "sexual_function", "reflexes_pathological"),
        ),
        Section(
            "more_scores",
            _("Other scores"),
            (),
            more=(
                ("mjoa_total", "nurick", "ais"),
                ("motor_total", "lt_total", "pp_total"),
                ("kps", "ecog"),
                ("ndi_pct", "odi_pct"),
                ("eq5d5l", "eq_vas"),
                ("paindetect", "dn4", "npsi_total"),
                "odom",
            ),
        ),
    )
    show_if = {
        "pain_distribution": "pain_present=true",
        "pain_nrs_kind": "pain_present=true",
        "sensory_level": "sensory_deficit=subjective_only,mild,severe,complete",
        **{
            name: f"pain_distribution={site}"
            for site, name in choices.PAIN_NRS_FIELDS.items()
        },
    }
    widths = dict.fromkeys((*PAIN_ROWS, "nurick", "ecog", "dn4"), "xs")

    def model_fields(self) -> dict[str, Any]:
        """The sub-scores are asked form by form and are no plain rows."""
        names = plain_names(self.sections)
        return {name: Visit._meta.get_field(name) for name in names}

    def add_fields(self) -> None:
        super().add_fields()
        for form, items in JOA_ITEMS.items():
            for item in items:
                self.fields[item_name(form, item)] = self.item_field(form, item)

    def item_field(self, form: str, item: str) -> forms.Field:
        model_field = Visit._meta.get_field(item)
        if item == "joa_lumbar_total":
            return DescribedFormField(model_field)
        options = points(form, item)
        stored = self.initial.get(item_name(form, item))
        if stored is not None and all(float(code) != stored for code, _l in options):
            # Half a point that came in by another door: shown, so that it stays.
            options = sorted(
                [*options, (f"{stored:g}", in_words(float(stored), None))],
                key=by_points,
            )
        widget: forms.Widget = forms.RadioSelect(choices=options)
        if len(options) > 5:
            widget = forms.Select(choices=[("", "–"), *options])
        field = DescribedFormField(model_field, widget)
        field.plausible = field.definition = ""
        return field

    def initial_values(self) -> dict[str, Any]:
        initial = super().initial_values()
        if self.record and self.record.joa_region:
            for item in JOA_ITEMS[self.record.joa_region]:
                name = item_name(self.record.joa_region, item)
                initial[name] = getattr(self.record, item)
        return initial

    @property
    def chosen_form(self) -> str:
        return self.cleaned_data.get("joa_region") or ""

    def values(self) -> dict[str, Any]:
        """The sub-scores of the form chosen; those of other forms are emptied."""
        if not self.was_asked("joa_region"):
            return super().values()
        of_form = JOA_ITEMS.get(self.chosen_form, ())
        items = {
            item: self.cleaned_data.get(item_name(self.chosen_form, item))
            if item in of_form
            else None
            for item in ALL_JOA_ITEMS
            if not self.keeps_theirs(item) and self.is_settled(item, of_form)
        }
        return super().values() | items

    def is_settled(self, item: str, of_form: tuple[str, ...]) -> bool:
        """Whether the form says what a sub-score is: it was sent, or does not belong."""
        return item not in of_form or self.was_asked(item_name(self.chosen_form, item))

    def place_of(self, name: str) -> str | None:
        if name in ALL_JOA_ITEMS:
            place = item_name(self.chosen_form, name)
            return place if place in self.fields else "joa_region"
        return super().place_of(name)


def plain_names(sections: tuple[Section, ...]) -> list[str]:
    """The plain field names of the sections, without those of score cards."""
    names: list[str] = []
    for section in sections:
        for row in (*section.rows, *section.more):
            if isinstance(row, str):
                names.append(row)
            elif isinstance(row, tuple):
                names.extend(row)
    return names


class RecurrenceForm(RecordForm):
    """New tumour seen on MRI."""

    model = Recurrence
    sections = (
        Section(
            "recurrence",
            _("Event"),
            (
                "kind",
                "detected_on",
                ("size_before_mm", "size_now_mm"),
                Levels("level_rostral", "level_caudal", _("Levels")),
                "treatment",
            ),
            more=("reported_day", "remark"),
        ),
    )


class VitalStatusForm(RecordForm):
    """Whether the patient lives, and when that was last known."""

    model = VitalStatus
    sections = (
        Section(
            "vital",
            _("Vital status"),
            ("vital_status", "last_contact_date", "death_date", "death_cause"),
        ),
    )
    show_if = {"death_date": "vital_status=dead", "death_cause": "vital_status=dead"}
