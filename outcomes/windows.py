"""The visit windows: which visit stands for "12 months after the operation".

A visit lies in a window when its day, counted from the index operation, lies between
``opens`` and ``closes``. Each value is taken from the visit nearest to ``target`` that
has it, of two equally near ones from the later; the windows do not overlap, so one visit
fills one window. No window is standard in the field; these are the registry's, under a
version that every row of facts carries.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

WINDOWS_VERSION = "2"


@dataclass(frozen=True)
class Window:
    """Days from the index operation, both ends included.

    ``target`` None: the day of discharge for the discharge window, the latest day for
    the last visit.
    """

    name: str
    label: object
    opens: int
    closes: int
    target: int | None


# Before the operation the visit closest to the incision counts, hence the target 0.
PREOP = Window("preop", _("before the operation"), -90, 0, 0)
DISCHARGE = Window("discharge", _("at discharge"), 1, 30, None)
M3 = Window("m3", _("at 3 months"), 61, 121, 91)
M6 = Window("m6", _("at 6 months"), 137, 228, 183)
M12 = Window("m12", _("at 12 months"), 305, 425, 365)
M24 = Window("m24", _("at 24 months"), 640, 820, 730)
M60 = Window("m60", _("at 60 months"), 1643, 2009, 1826)
# The latest visit that has the value. It may be the visit of another window too, and
# the two are never reported together.
LAST = Window("last", _("at the last visit"), 1, 36_500, None)

WINDOWS = (PREOP, DISCHARGE, M3, M6, M12, M24, M60, LAST)
AFTER = WINDOWS[1:]  # windows after the operation
# Residual pain needs a visit at least 3 months after the operation (REFERENCE 3.10 and
# rule R55): day 91, although the window of the visit at 3 months opens earlier.
RESIDUAL_PAIN_WINDOWS = (M3, M6, M12, M24, M60, LAST)
RESIDUAL_PAIN_FROM_DAY = 91
# The extent of resection is read on an MRI within 3 months. Who died within them had no
# chance of one, so the death counts without it.
EARLY_DEATH_DAYS = 91
# Without any contact for longer than this (18 months), a living patient counts as lost.
LOST_AFTER_DAYS = 548
WINDOW_NAMES = tuple(window.name for window in WINDOWS)


def windows_sql() -> str:
    """The windows as rows (place, name, opens, closes, target) of a VALUES list."""
    rows = [
        f"({place}, '{w.name}', {w.opens}, {w.closes}, "
        f"{'NULL::int' if w.target is None else w.target})"
        for place, w in enumerate(WINDOWS, start=1)
    ]
    return ",\n      ".join(rows)
