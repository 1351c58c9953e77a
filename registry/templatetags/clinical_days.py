"""Days in templates, never as more than what is known of them."""

from __future__ import annotations

from datetime import date

from django import template

from registry.days import text_of_day
from registry.display import day_in_words

register = template.Library()


@register.filter
def known_day(day: date | None) -> str:
    """``2014-05-03``, ``2014-05`` or ``2014``; empty for None."""
    return text_of_day(day) if day else ""


@register.filter
def day_words(day: date | None) -> str:
    """``3 May 2014``, ``May 2014`` or ``2014``; empty for None."""
    return day_in_words(day) if day else ""
