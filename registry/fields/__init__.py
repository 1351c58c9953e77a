"""Model fields that carry their own description.

Each clinical field knows its label, definition, unit, allowed values, how much it is
needed and its privacy class. Codebook, forms, import template, export transforms and
API schema are made from that, and the database constraints too
(:mod:`registry.constraints`). The description stays out of migrations.
"""

from registry.fields.codes import ChoiceField, LevelField, MultiChoiceField
from registry.fields.days import (
    EARLIEST_DAY,
    ISO_DAY,
    DayField,
    check_day,
    check_record_day,
    likely_day,
)
from registry.fields.description import Described, MissingReason, Need, Privacy
from registry.fields.numbers import FlagField, MeasureField, WholeNumberField
from registry.fields.words import ONE_LINE, WordsField, clean_words

__all__ = [
    "ChoiceField",
    "DayField",
    "Described",
    "EARLIEST_DAY",
    "FlagField",
    "ISO_DAY",
    "LevelField",
    "MeasureField",
    "MissingReason",
    "MultiChoiceField",
    "Need",
    "ONE_LINE",
    "Privacy",
    "WholeNumberField",
    "WordsField",
    "check_day",
    "check_record_day",
    "clean_words",
    "likely_day",
]
