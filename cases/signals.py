"""News of the record, sent inside the transaction of the change."""

from django.dispatch import Signal

# Arguments: case_ids, the primary keys of the cases that changed.
case_changed = Signal()
