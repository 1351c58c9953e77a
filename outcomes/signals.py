"""News of what happened after the operation, sent inside the transaction."""

from django.dispatch import Signal

# Arguments: case_ids, the primary keys of the cases whose outcomes changed.
outcome_changed = Signal()
