"""What the database holds of a visit, over several of its fields."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outcomes import choices
from outcomes.models.joa import ALL_JOA_ITEMS
from registry.constraints import Rule

RULES = (
    Rule(
        condition=Q(visit_date__isnull=True) | Q(reported_day__isnull=True),
        name="visit_date_or_reported_day",
        violation_error_message=_(
            "Days as reported are only for visits without a date."
        ),
    ),
    Rule(
        condition=Q(mmcs__isnull=True) | Q(mmcs_version__isnull=False),
        name="visit_mmcs_has_version",
        violation_error_message=_("Say which version the grade belongs to."),
    ),
    Rule(
        condition=Q(mmcs__isnull=True)
        | ~Q(mmcs=5)
        | Q(mmcs_version__isnull=True)
        | ~Q(mmcs_version="mccormick4"),
        name="visit_mmcs_grade_in_version",
        violation_error_message=_("The original scale has four grades."),
    ),
    Rule(
        condition=Q(pain_present__isnull=True)
        | Q(pain_present=True)
        | (
            Q(pain_distribution__isnull=True)
            & ~Q(
                *(
                    Q(**{f"{field}__gt": 0, f"{field}__isnull": False})
                    for field in choices.PAIN_NRS_FIELDS.values()
                ),
                _connector=Q.OR,
            )
        ),
        name="visit_no_pain_means_no_pain",
        violation_error_message=_(
            "Without pain there is neither a place nor an intensity."
        ),
    ),
    Rule(
        condition=Q(joa_shoulder__isnull=True)
        | Q(joa_region="cervical17_rev", joa_region__isnull=False),
        name="visit_joa_shoulder_revised_only",
        violation_error_message=_(
            "Shoulder and elbow belong to the revised cervical form."
        ),
    ),
    Rule(
        condition=Q(joa_region__isnull=False)
        | Q(**{f"{item}__isnull": True for item in ALL_JOA_ITEMS}),
        name="visit_joa_items_need_form",
        violation_error_message=_("Choose the JOA form of these sub-scores."),
    ),
    Rule(
        condition=Q(eq5d5l__isnull=True) | Q(eq5d5l__regex=r"^[1-5]{5}$"),
        name="visit_eq5d5l_form",
        violation_error_message=_("Five digits from 1 to 5."),
    ),
    Rule(
        condition=Q(odom__isnull=True) | ~Q(visit_type="preop"),
        name="visit_odom_after_operation",
        violation_error_message=_("Odom is given after the operation."),
    ),
)
# The field beside which the message of a rule stands.
FIELD_OF_RULE = {
    "visit_date_or_reported_day": "reported_day",
    "visit_mmcs_has_version": "mmcs_version",
    "visit_mmcs_grade_in_version": "mmcs",
    "visit_no_pain_means_no_pain": "pain_present",
    "visit_joa_shoulder_revised_only": "joa_shoulder",
    "visit_joa_items_need_form": "joa_region",
    "visit_eq5d5l_form": "eq5d5l",
    "visit_odom_after_operation": "odom",
}
