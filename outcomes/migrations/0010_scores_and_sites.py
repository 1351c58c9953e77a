"""Scores of the visits at every window, pain by each site; summaries by final extent."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import migrations, models

from outcomes.migration_operations import AddFields

WINDOWS = ("preop", "discharge", "m3", "m6", "m12", "m24", "m60", "last")
TEXTS = (
    "sensory_deficit sensory_level motor_mrc_min gait bladder bowel sexual_function ais"
    " odom"
)
WHOLE_NUMBERS = (
    "mjoa_total nurick motor_total lt_total pp_total kps ecog eq_vas paindetect dn4"
    " npsi_total eq5d5l"
)
FIELDS = {
    **dict.fromkeys(TEXTS.split(), "text"),
    **dict.fromkeys(WHOLE_NUMBERS.split(), "whole"),
    "ndi_pct": "number",
    "odi_pct": "number",
    "reflexes_pathological": "flag",
    "pain_local": "flag",
    "pain_below_level": "flag",
}
SITES = ("residual_local_pain", "residual_below_level_pain")


def new(kind: str) -> models.Field:
    if kind == "text":
        return models.CharField(max_length=40, null=True)
    made = {
        "whole": models.IntegerField,
        "number": models.FloatField,
        "flag": models.BooleanField,
    }
    return made[kind](null=True)


def columns() -> Iterator[tuple[str, models.Field]]:
    for window in WINDOWS:
        for name, kind in FIELDS.items():
            if (name, window) != ("odom", "preop"):
                yield f"{name}_{window}", new(kind)
                yield f"{name}_{window}_day", new("whole")
                yield f"{name}_{window}_missing", new("text")
    for window in WINDOWS[2:]:
        for name in SITES:
            yield f"{name}_{window}", new("flag")
            yield f"{name}_{window}_missing", new("text")


class Migration(migrations.Migration):
    dependencies = [("outcomes", "0009_partial_days")]

    operations = [
        AddFields("casefacts", list(columns())),
        AddFields("poolfacts", list(columns())),
        # Kept by the extent of the whole resection instead, and counted when asked.
        migrations.RunSQL(
            "DELETE FROM outcomes_summary WHERE 'eor_mri' = ANY(string_to_array(by, ','))",
            migrations.RunSQL.noop,
        ),
    ]
