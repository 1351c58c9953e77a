"""The living page of all components in all states; mounted only while developing.

Every number here is a specimen to look at, none is a result.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from registry.styleguide_figures import FIGURES

MISSING_REASONS = [
    ("", "Value known"),
    ("not_done", "Not done"),
    ("unknown", "Unknown"),
    ("not_applicable", "Not applicable"),
    ("pending", "Pending"),
]


STATES = (
    *("draft", "complete", "verified", "voided", "queued", "running"),
    *("finished", "failed", "cancelled", "stale", "overdue", "lost", "unknown"),
)
MEANINGS = (
    *("intramedullary", "extramedullary", "gtr", "less_than_gtr"),
    *("improved", "unchanged", "worse"),
)


def described(field: forms.Field, **notes: str) -> forms.Field:
    """The field with the notes that components/field.html reads."""
    for name, text in notes.items():
        setattr(field, name, text)
    return field


def missing_reason() -> forms.ChoiceField:
    return forms.ChoiceField(choices=MISSING_REASONS, required=False)


class SpecimenForm(forms.Form):
    """One field of each kind."""

    surgery_date = forms.DateField(
        label="Date of surgery",
        widget=forms.DateInput(attrs={"type": "text"}),
        help_text="Skin incision of the index operation.",
    )
    size_cc_mm = described(
        forms.DecimalField(
            label="Craniocaudal size", widget=forms.TextInput, required=False
        ),
        unit="mm",
        plausible="1–400 mm",
        definition="Greatest length of the enhancing tumour on sagittal T1 with "
        "gadolinium, without cysts at its poles.",
    )
    size_cc_mm_missing = missing_reason()
    blood_loss_ml = described(
        forms.IntegerField(label="Blood loss", widget=forms.TextInput),
        unit="mL",
        plausible="0–20,000 mL",
    )
    blood_loss_ml_missing = missing_reason()
    approach = forms.ChoiceField(
        label="Approach",
        widget=forms.RadioSelect,
        choices=[(w.lower(), w) for w in ("Posterior", "Anterior", "Lateral")],
    )
    compartment = described(
        forms.ChoiceField(
            label="Compartment at surgery",
            widget=forms.RadioSelect,
            choices=[
                ("intramedullary", "Intramedullary"),
                ("intradural_extramedullary", "Intradural extramedullary"),
                ("extradural", "Extradural"),
            ],
        ),
        definition="Decided at surgery. The preoperative reading is kept beside it.",
    )
    compartment_missing = missing_reason()
    myelotomy = forms.ChoiceField(
        label="Myelotomy",
        choices=[
            ("", "Choose"),
            ("none", "None"),
            ("posterior_midline", "Posterior midline"),
            ("dorsal_root_entry_zone", "Dorsal root entry zone"),
        ],
        required=False,
        help_text="Asked because the tumour is intramedullary.",
    )
    monitoring = forms.MultipleChoiceField(
        label="Monitoring",
        widget=forms.CheckboxSelectMultiple,
        choices=[("ssep", "SSEP"), ("tcmep", "TcMEP"), ("dwave", "D-wave")],
        required=False,
    )
    level_rostral = forms.CharField(label="Upper")
    level_caudal = forms.CharField(label="Lower")
    fusion = forms.BooleanField(label="Fusion in the same operation", required=False)
    note = forms.CharField(
        label="Remarks",
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        help_text="No names or hospital numbers.",
    )

    def clean_surgery_date(self) -> Any:
        raise forms.ValidationError(
            "Surgery date 2031-02-01 lies in the future. Was it 2021-02-01?"
        )


class ScoreForm(forms.Form):
    """Sub-scores of the cervical JOA score."""

    motor_upper = forms.ChoiceField(
        label="Motor, upper extremity",
        widget=forms.RadioSelect,
        choices=[(n, n) for n in range(5)],
    )
    motor_lower = forms.ChoiceField(
        label="Motor, lower extremity",
        widget=forms.RadioSelect,
        choices=[(n, n) for n in range(5)],
    )
    sensory_trunk = forms.ChoiceField(
        label="Sensory, trunk",
        widget=forms.RadioSelect,
        choices=[(n, n) for n in range(3)],
    )
    bladder = forms.ChoiceField(
        label="Bladder",
        widget=forms.RadioSelect,
        choices=[(n, n) for n in range(4)],
    )


class SpecimenFilter(forms.Form):
    q = forms.CharField(label="Code, level or histology", required=False)
    region = forms.ChoiceField(
        label="Region",
        choices=[("", "Any"), ("cervical", "Cervical"), ("thoracic", "Thoracic")],
        required=False,
    )
    surgery_date_after = forms.CharField(label="Operated after", required=False)


def specimen_columns() -> list[dict[str, Any]]:
    return [
        {"label": "Case", "sort_url": "?sort=code"},
        {"label": "Operated", "sort_url": "?sort=-date", "sorted": "descending"},
        {"label": "Compartment"},
        {"label": "Levels"},
        {"label": "Size, mm", "number": True, "sort_url": "?sort=size"},
        {"label": "State"},
        {"label": "Next visit"},
    ]


def specimen_rows() -> list[dict[str, Any]]:
    shown = [
        ("SCT-4F7K2M", "2021-11-30", "intramedullary", "T3–T5", "31", "verified", ""),
        ("SCT-9QX31D", "2021-10-12", "extramedullary", "C5–C6", "18", "complete", ""),
        ("SCT-B20LHA", "2021-09-02", "extramedullary", "L1", "–", "draft", "overdue"),
    ]
    return [
        {
            "url": f"#{code}",
            "cells": [
                {"value": code},
                {"value": operated},
                {"value": compartment.capitalize(), "key": compartment},
                {"value": levels},
                {"value": size, "number": True},
                {"value": state.capitalize(), "state": state},
                {"value": "12 months, overdue", "state": "overdue"}
                if visit
                else {"value": "2026-03-14", "muted": True},
            ],
        }
        for code, operated, compartment, levels, size, state, visit in shown
    ]


def specimen_jobs() -> list[dict[str, Any]]:
    states = [
        ("queued", 0, 0, ""),
        ("running", 6200, 10000, ""),
        ("finished", 10000, 10000, ""),
        ("failed", 6200, 10000, "The disk is full. Nothing was published."),
        ("cancelled", 6200, 10000, ""),
    ]
    return [
        {"job": SimpleNamespace(status=status, done=done, total=total, reason=reason)}
        for status, done, total, reason in states
    ]


def specimen_frame() -> dict[str, Any]:
    """What stands around the content: path, tabs, menu, outline, filter chips."""
    return {
        "crumbs": [{"label": "Cases", "url": "#tables"}, {"label": "Specimen"}],
        "tabs": [
            {"label": "Record", "url": "#record", "active": True},
            {"label": "Visits", "url": "#empty"},
            {"label": "History", "url": "#record"},
        ],
        "menu_items": [
            {"label": "History", "url": "#history", "icon": "history"},
            {"label": "Void this visit", "icon": "void", "dialog": "void-visit"},
        ],
        "sections": [
            {"id": "fields", "title": "Fields", "done": 3, "total": 12},
            {"id": "scores", "title": "Score card", "done": 4, "total": 4},
            {"id": "refused", "title": "Refused form", "errors": 3},
        ],
        "filter_chips": [
            {"label": "Region: cervical", "remove_url": "?"},
            {"label": "Operated after 2008-01-01", "remove_url": "?"},
        ],
    }


def specimen_record() -> dict[str, Any]:
    """Facts of one record, and a conflict between two people who edited it."""
    meaning = "intramedullary"
    facts = [
        {"label": "Levels", "value": "T3–T5"},
        {"label": "Compartment", "value": "Intramedullary", "key": meaning},
        {"label": "Craniocaudal size", "value": "31", "unit": "mm"},
        {"label": "Ki-67", "value": None, "reason": "not done"},
        {"label": "Operated", "value": "2021-11-30"},
        {"label": "Discharged", "value": ""},
    ]
    conflict = [
        ("size_cc_mm", "Craniocaudal size", "18 mm", "21 mm", "19 mm"),
        ("approach", "Approach", None, "Posterior", "Lateral"),
    ]
    keys = ("name", "label", "old", "mine", "theirs")
    return {
        "record_facts": facts,
        "differences": [dict(zip(keys, row, strict=True)) for row in conflict],
    }


class StyleguideView(TemplateView):
    template_name = "registry/styleguide.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "messages" in request.GET:
            messages.success(request, "Visit of 2026-03-14 saved.")
            messages.warning(request, "The 12-month window ended on 2026-02-28.")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refused = SpecimenForm(
            {"surgery_date": "2031-02-01", "approach": "posterior", "fusion": "on"}
        )
        return super().get_context_data(**kwargs) | {
            **specimen_frame(),
            **specimen_record(),
            "blank": SpecimenForm(prefix="blank"),
            "refused": refused,
            "score_items": list(ScoreForm(prefix="score")),
            "filter_form": SpecimenFilter(auto_id="filter_%s"),
            "columns": specimen_columns(),
            "rows": specimen_rows(),
            "jobs": specimen_jobs(),
            "figures": FIGURES,
            "states": STATES,
            "strip": {
                "title": "Specimen Hanako",
                "number": "K-0417",
                "sex_and_age": "Female, 61 y",
            },
            "meanings": MEANINGS,
        }
