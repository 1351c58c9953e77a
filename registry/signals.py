"""News of the ground floor."""

from django.dispatch import Signal

# Sent by the worker at every sweep. Receivers find stale rows and claim them; they must
# be quick, safe to run twice, and may fail without hindering the others.
sweep = Signal()
