"""The audit trail: what happened, sealed, compared with the records it speaks of.

``record`` writes an event in the transaction of what it tells of and holds nobody up.
``sealing`` puts every row that is evidence (events, history, its context) under a chain
of seals after commit; ``verifying`` says what does not hold; ``heads`` keeps the end of
the chain outside the database. Why so: docs/decisions/0022.
"""

from registry.audit.events import record

__all__ = ["record"]
