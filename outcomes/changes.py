"""What happened to the cases of a centre, or of all: changes and withdrawals."""

from __future__ import annotations

from django.db import connection

# Changes of a scope; the pool has those of all centres.
WANTED = """
SELECT coalesce((SELECT sum(counted) FROM outcomes_changecount
                 WHERE %(centre)s IS NULL OR centre_id = %(centre)s), 0)
     + (SELECT count(*) FROM outcomes_casechange
        WHERE %(centre)s IS NULL OR centre_id = %(centre)s)
"""
# The set of cases that are not counted, as a mark.
WITHDRAWN = """
SELECT coalesce(md5(string_agg(case_id::text, ',' ORDER BY case_id)), '')
FROM outcomes_casefacts
WHERE consent_research = 'withdrawn' AND (%(centre)s IS NULL OR centre_id = %(centre)s)
"""


def wanted_of(centre_id: int | None) -> int:
    """Changes made in a scope so far."""
    with connection.cursor() as cursor:
        cursor.execute(WANTED, {"centre": centre_id})
        (wanted,) = cursor.fetchone()
    return int(wanted)


def withdrawn_of(centre_id: int | None) -> str:
    """A mark of the cases in a scope whose patients withdrew; empty without any."""
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAWN, {"centre": centre_id})
        (mark,) = cursor.fetchone()
    return str(mark)
