"""The numbers of a measure in words: names of groups, shares, contrasts, tests.

A group that is hidden to protect patients is named, never told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outcomes.disclosure import MERGED
from outcomes.models.fact_columns import COLUMN_BY_NAME
from registry.display import MEANINGS

Payload = dict[str, Any]
Group = dict[str, Any]
Figure = dict[str, Any]
PERCENT = 100
MINUS = "\N{MINUS SIGN}"
# What a chart has room for; tables and answers give the whole name.
SHORT = {
    "intradural_extramedullary": gettext_lazy("Extramedullary"),
    "intradural_both": gettext_lazy("Intra- and extramedullary"),
    "dumbbell_intra_extradural": gettext_lazy("Dumbbell"),
    "foraminal_paravertebral": gettext_lazy("Foraminal"),
    "gtr": "GTR",
    "ntr": "NTR",
    "str": "STR",
    "pr": "PR",
}

ENDPOINTS = {
    "recurrence": gettext_lazy("Recurrence alone, death competing"),
    "progression": gettext_lazy("Recurrence or regrowth, death competing"),
    "recurrence_free_survival": gettext_lazy("Recurrence-free survival"),
    "progression_free_survival": gettext_lazy("Progression-free survival"),
    "improved_mccormick_grade": gettext_lazy("Improved by a grade or more"),
    "residual_segmental_pain": gettext_lazy("Residual segmental pain"),
}

# By code: what the statistics say in a sentence, in words that can be translated.
REASONS = {
    "no_events": gettext_lazy("no events in any group"),
    "never_together": gettext_lazy(
        "no day with an event has two groups under observation"
    ),
    "too_few_for_variance": gettext_lazy("the groups are too small"),
    "one_group": gettext_lazy("fewer than two groups were assessed"),
    "no_follow_up": gettext_lazy("fewer than two groups have follow-up"),
    "no_change": gettext_lazy("nothing differs"),
    "not_compared": gettext_lazy("counts of cases are not compared"),
    "p_unreachable": gettext_lazy(
        "too little was observed: however these cases had fallen, p could not have "
        "been 0.05 or less"
    ),
}


def shown_groups(payload: Payload) -> list[Group]:
    """Groups that are not hidden, each with its label and colour."""
    return [
        group
        | {
            "name": group_label(group),
            "short": short_label(group),
            "meaning": meaning_of(group),
        }
        for group in payload["groups"]
        if not group.get("suppressed")
    ]


def hidden_labels(payload: Payload) -> list[str]:
    return [
        group_label(group) for group in payload["groups"] if group.get("suppressed")
    ]


def group_label(group: Group) -> str:
    """The group in words, such as ``Intramedullary, Gross total (GTR)``."""
    words = [code_label(name, code) for name, code in group["group"].items()]
    return ", ".join(words) or _("All cases")


def short_label(group: Group) -> str:
    codes = list(group["group"].values())
    short = SHORT.get(str(codes[0])) if len(codes) == 1 else None
    return str(short) if short else group_label(group)


def code_label(column: str, code: Any) -> str:
    if code is None:
        label = COLUMN_BY_NAME[column].label
        return _("%(what)s not known") % {"what": capfirst(str(label))}
    if code == MERGED:
        return _("Other groups together")
    return str(dict(COLUMN_BY_NAME[column].values).get(code, code))


def known(group: Group) -> bool:
    """False for cases whose group nobody knows; rows of older code do not say it."""
    return bool(group.get("known", True))


def meaning_of(group: Group) -> str:
    codes = list(group["group"].values())
    if not codes:
        return "all"
    return "unknown" if not known(group) else MEANINGS.get(str(codes[0]), "other")


def note_on_unknown(payload: Payload) -> str:
    """Groups of which nothing is known are shown, and said not to be compared."""
    unknown = [g["name"] for g in shown_groups(payload) if not known(g)]
    if not unknown or len(payload["groups"]) < 2:
        return ""
    return _("Shown, not tested: %(names)s.") % {"names": ", ".join(unknown)}


def percent(value: float | None) -> str:
    """``17.6 %``; a dash where nothing can be said."""
    return "–" if value is None else f"{value * PERCENT:.1f} %"


def share_words(group: Group) -> str:
    """``Intramedullary 0 of 19 (0.0 to 17.6 %)``."""
    if not group["assessed"]:
        return _("%(name)s: nobody assessed") % {"name": group["name"]}
    share = group["proportion"]
    return _("%(name)s %(n)s of %(total)s (%(lower)s to %(upper)s)") % {
        "name": group["name"],
        "n": f"{group['events']:,}",
        "total": f"{group['assessed']:,}",
        "lower": percent(share["lower"]).removesuffix(" %"),
        "upper": percent(share["upper"]),
    }


def answer(payload: Payload, verb: str) -> str:
    """The answer of all groups in one line, with exact 95 % limits."""
    told = [share_words(group) for group in shown_groups(payload)]
    return f"{verb}: {'; '.join(told)}." if told else _("Nothing can be shown.")


def note_on_hidden(payload: Payload) -> str:
    hidden = hidden_labels(payload)
    if not hidden:
        return ""
    if not payload["by"]:
        return _(
            "No benchmark can be shown here: of the patients of other centres fewer than "
            "%(least)s had the event, were free of it or were not assessed, and could be "
            "recognised. It comes with more cases."
        ) % {"least": settings.DISCLOSURE_THRESHOLD}
    return _("Hidden, because too few patients could be recognised: %(names)s.") % {
        "names": ", ".join(hidden)
    }


def hidden_rows(payload: Payload, width: int) -> list[list[Any]]:
    """Table rows of hidden groups: the name and nothing else."""
    return [[label, *[_("hidden")] * width] for label in hidden_labels(payload)]


def hidden_if_none(value: Any) -> Any:
    """A number, or the word for one that is left out to protect patients."""
    return _("hidden") if value is None else value


def test_words(payload: Payload) -> str:
    """The test of the groups, never without saying why it is missing."""
    test = payload.get("test", {})
    if test.get("estimable"):
        told = capfirst(test["name"])
        if "permutation" in (test.get("method") or ""):
            told = _("%(test)s by permutation") % {"test": told}
        return f"{told}: p {p_value(test['p_value'])}."
    reason = reason_words(test)
    return _("Not tested: %(reason)s.") % {"reason": reason} if reason else ""


def reason_words(test: dict[str, Any]) -> str:
    """Why there is no result, in the words of the page; as it was told else."""
    words = REASONS.get(test.get("reason_code") or "")
    return str(words) if words else test.get("reason") or ""


def comparison_words(
    payload: Payload, key: str, words: Callable[[dict[str, Any]], str]
) -> str:
    """An endpoint by name, with its differences and its test; nothing of another."""
    told = joined(contrasts(payload, key, words), test_words(payload))
    name = ENDPOINTS.get(payload.get("test", {}).get("endpoint"))
    return f"{name}: {told}" if name and told else told


def p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def contrasts(
    payload: Payload, key: str, words: Callable[[dict[str, Any]], str]
) -> str:
    """Differences to the first group with their intervals."""
    told = []
    for item in payload.get("differences", []):
        found = item[key]
        if found["lower"] is None and found["upper"] is None:
            continue
        pair = (
            group_label({"group": item["group"]}),
            group_label({"group": item["reference"]}),
        )
        told.append(
            _("%(one)s against %(other)s: %(what)s")
            % {"one": pair[0], "other": pair[1], "what": words(found)}
        )
    return "; ".join(told) + "." if told else ""


def ratio_words(found: dict[str, Any]) -> str:
    upper = "∞" if found["upper"] is None else f"{found['upper']:.2f}"
    lower = "0" if found["lower"] is None else f"{found['lower']:.2f}"
    return _("rate ratio %(value)s (%(lower)s to %(upper)s)") % {
        "value": "–" if found["value"] is None else f"{found['value']:.2f}",
        "lower": lower,
        "upper": upper,
    }


def difference_words(found: dict[str, Any]) -> str:
    """``difference −26.5 percentage points (−49.2 to 3.3)``."""
    return _("difference %(value)s percentage points (%(lower)s to %(upper)s)") % {
        name: points(found[name]) for name in ("value", "lower", "upper")
    }


def points(value: float | None) -> str:
    """A difference of two shares in points, with the sign that print uses."""
    if value is None:
        return "–"
    return signed(f"{value * PERCENT:.1f}")


def signed(text: str) -> str:
    """A minus instead of a hyphen; no minus before nothing."""
    text = text.replace("-", MINUS)
    return text.removeprefix(MINUS) if not text.strip(f"{MINUS}0.") else text


def joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
