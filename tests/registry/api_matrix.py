"""Who gets what: every route of the API, every verb, every role.

The records are those of centre A. Every request that changes something carries a body
that no route understands and no If-Match, so that 400 and 428 stand for "was let in".
A verb without a row is a 405 for people and a 401 for strangers.
"""

from __future__ import annotations

from tests.registry.api_cast import ROLES

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def row(statuses: str) -> dict[str, int]:
    """Statuses in the order of ``ROLES``: surgeon A, surgeon B, coordinator of A,
    registry coordinator, analyst, administrator, stranger."""
    return dict(zip(ROLES, map(int, statuses.split()), strict=True))


#             A   B   cA  reg ana adm nobody
LIST = row("  200 200 200 200 403 403 401")
CREATE = row("400 400 400 403 403 403 401")
READ = row("  200 404 200 200 403 403 401")
CHANGE = row("428 404 428 403 403 403 401")
VERIFY = row("403 403 428 428 403 403 401")
IDENTITY = row("200 404 200 403 403 403 401")
ANYBODY = row("200 200 200 200 200 200 401")
CENTRE = row("200 404 200 200 200 200 401")
FACTS = row("200 200 200 200 200 403 401")
NOWHERE = row("404 404 404 404 404 404 401")

RECORDS = (
    "patients",
    "cases",
    "mri-studies",
    "operations",
    "complications",
    "visits",
    "recurrences",
    "vital-statuses",
)

MATRIX: dict[str, dict[str, dict[str, int]]] = {
    "centres/": {"GET": ANYBODY},
    "centres/<code>/": {"GET": CENTRE},
    "patients/<code>/identity/": {"GET": IDENTITY, "PATCH": CHANGE},
    "cases/<code>/complete/": {"POST": CHANGE},
    "cases/<code>/verify/": {"POST": VERIFY},
    "cases/<code>/amend/": {"POST": CHANGE},
    "operations/<code>/make-index/": {"POST": CHANGE},
    "facts/": {"GET": FACTS},
    "codebook/": {"GET": FACTS},
    "summaries/<measure>/": {"GET": FACTS},
    "schema/": {"GET": ANYBODY},
    "nothing-of-the-kind/": {verb: NOWHERE for verb in VERBS},
}
for kind in RECORDS:
    MATRIX[f"{kind}/"] = {"GET": LIST, "POST": CREATE}
    MATRIX[f"{kind}/<code>/"] = {"GET": READ, "PATCH": CHANGE}
    MATRIX[f"{kind}/<code>/void/"] = {"POST": CHANGE}
    MATRIX[f"{kind}/<code>/restore/"] = {"POST": CHANGE}

# Not of the API proper: a page, held by the census of the pages.
PAGES = {"docs/"}


def expected(route: str, verb: str, role: str) -> int:
    rows = MATRIX[route]
    known = rows.get("GET" if verb == "HEAD" else verb)
    if known is not None:
        return known[role]
    return 401 if role == "stranger" else 405
