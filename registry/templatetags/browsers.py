"""What a browser says of itself, in words that its user knows."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

register = template.Library()
# The order matters: Edge also calls itself Chrome, and Chrome also Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def browser_name(user_agent: str) -> str:
    """``Firefox, Windows``; the text itself, shortened, where nothing is known.

    >>> browser_name("Mozilla/5.0 (X11; Linux x86_64) … Chrome/156.0 Safari/537.36")
    'Chrome, Linux'
    """
    known = [
        next((name for mark, name in table if mark in user_agent), "")
        for table in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, known)) or user_agent[:60] or _("unknown")
