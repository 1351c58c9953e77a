"""Who gets what: every page, every verb, every role.

The records are those of centre A. POST carries a reason and a version that nothing has,
and no other field, so that 409, 422 and 302 stand for "was let in", except where the
302 leads to a confirmation of the password. A stranger is led to the sign-in page. A verb
without a row is a 405 for those who may ask at all.
"""

from __future__ import annotations

from tests.registry.api_cast import ROLES

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def row(statuses: str) -> dict[str, int]:
    """Statuses in the order of ``ROLES``: surgeon A, surgeon B, coordinator of A,
    registry coordinator, analyst, administrator, stranger."""
    return dict(zip(ROLES, map(int, statuses.split()), strict=True))


#                   A   B   cA  reg ana adm nobody
ALL = row("         200 200 200 200 200 200 200")
LED_ON = row("      302 302 302 302 302 302 302")
ACCOUNT = row("     200 200 200 200 200 200 302")
KEPT_ALIVE = row("  204 204 204 204 204 204 302")
NONE_YET = row("    404 404 404 404 404 404 302")
OWN_TOKEN = row("   302 404 404 404 404 404 302")
OWN_DRAFT = row("   302 404 404 404 404 404 302")
LISTS = row("       200 200 200 200 403 403 302")
SUMMARIES = row("   200 200 200 200 200 403 302")
FORM = row("        200 200 200 403 403 403 302")
FINDS = row("       422 422 422 422 403 403 302")
CHOOSES = row("     302 302 302 302 403 403 302")
READS = row("       200 404 200 200 404 404 302")
WRITES = row("      200 404 200 403 404 404 302")
ENTERS = row("      422 404 422 403 404 404 302")
EDITS = row("       409 404 409 403 404 404 302")
STEPS = row("       302 404 302 403 404 404 302")
VERIFIES = row("    403 404 302 302 404 404 302")
STARTS = row("      302 302 302 403 403 403 302")
ADMINISTERS = row(" 403 403 403 403 403 200 302")
ADDS = row("        403 403 403 403 403 422 302")
CONFIRMS = row("    403 403 403 403 403 302 302")
GRANTS = row("      403 403 403 302 403 302 302")
# For verbs that a page does not know.
NOT_SO = row("      405 405 405 405 405 405 302")
NOBODY = row("      405 405 405 405 405 405 405")
NOT_BY_CASE = row(" 405 404 405 403 404 404 302")
NOT_BY_ROLE = row(" 405 405 405 403 403 403 302")
NOT_GRANTED = row(" 403 403 403 405 403 405 302")
NOT_ADMIN = row("   403 403 403 403 403 405 302")
SIGNED_IN = row("   302 302 302 302 302 302 405")
SIGN_IN = row("     302 302 302 302 302 302 200")

Rows = dict[str, dict[str, int]]


def page(get: dict[str, int], **verbs: dict[str, int]) -> Rows:
    """A page: ``other`` is for every verb not named, a 405 unless said otherwise."""
    return {"GET": get, "HEAD": get, "other": NOT_SO} | verbs


def form(get: dict[str, int], post: dict[str, int], other: dict[str, int]) -> Rows:
    """A page with a form; a class of views answers OPTIONS as it answers GET."""
    return page(get, POST=post, OPTIONS=get, other=other)


def step(post: dict[str, int], other: dict[str, int] = NOT_SO) -> Rows:
    """Something that only a POST does."""
    return {"POST": post, "other": other}


ENTRANCE = form(ALL, ALL, NOBODY) | {"PUT": ALL}
NOTICE = page(ALL, OPTIONS=ALL, other=NOBODY)
CONFIRMATION = page(LED_ON, other=LED_ON)
PART = form(WRITES, ENTERS, NOT_BY_CASE)
RECORD = form(WRITES, EDITS, NOT_BY_CASE)
PARTS = "/cases/<code>/"
EVENTS = f"{PARTS}operations/<operation>/complications/"

MATRIX: dict[str, Rows] = {
    "/": page(LED_ON),
    "/keep-alive/": {"GET": KEPT_ALIVE, "other": NOT_SO},
    "/names/": step(LED_ON),
    # the account
    "/account/": page(ACCOUNT),
    "/account/inactive/": NOTICE,
    "/account/login/": form(SIGN_IN, SIGN_IN, SIGNED_IN) | {"PUT": SIGN_IN},
    "/account/logout/": form(ACCOUNT, LED_ON, NOBODY) | {"OPTIONS": ALL},
    "/account/password/change/": form(ACCOUNT, ACCOUNT, NOT_SO) | {"PUT": ACCOUNT},
    "/account/password/reset/": ENTRANCE,
    "/account/password/reset/done/": NOTICE,
    "/account/password/reset/key/<uidb36>-<key>/": page(ALL, other=ALL),
    "/account/password/reset/key/done/": NOTICE,
    "/account/password/set/": CONFIRMATION,
    "/account/reauthenticate/": form(ACCOUNT, ACCOUNT, NOT_SO) | {"PUT": ACCOUNT},
    "/account/second-factor/": page(ACCOUNT, OPTIONS=ACCOUNT),
    "/account/second-factor/authenticate/": CONFIRMATION,
    "/account/second-factor/reauthenticate/": CONFIRMATION,
    "/account/second-factor/recovery-codes/": page(NONE_YET, OPTIONS=ACCOUNT),
    "/account/second-factor/recovery-codes/download/": page(NONE_YET, other=NONE_YET),
    "/account/second-factor/recovery-codes/generate/": CONFIRMATION,
    "/account/second-factor/totp/activate/": CONFIRMATION,
    "/account/second-factor/totp/deactivate/": page(NONE_YET, other=NONE_YET),
    "/account/sessions/": form(ACCOUNT, LED_ON, NOT_SO) | {"PUT": LED_ON},
    "/account/tokens/<key>/revoke/": step(OWN_TOKEN),
    "/account/tokens/new/": CONFIRMATION,
    # administration
    "/administration/audit/": page(ADMINISTERS, OPTIONS=ADMINISTERS, other=NOT_ADMIN),
    "/administration/centres/": form(ADMINISTERS, ADDS, NOT_ADMIN),
    "/administration/centres/<pk>/": form(ADMINISTERS, ADDS, NOT_ADMIN),
    "/administration/finer-data/": page(GRANTS, other=GRANTS),
    "/administration/finer-data/<pk>/end/": step(GRANTS, NOT_GRANTED),
    "/administration/people/": page(ADMINISTERS, OPTIONS=ADMINISTERS, other=NOT_ADMIN),
    "/administration/people/<pk>/": page(CONFIRMS, other=CONFIRMS),
    "/administration/people/<pk>/active/": step(CONFIRMS, NOT_ADMIN),
    "/administration/people/<pk>/invite/": step(CONFIRMS, NOT_ADMIN),
    "/administration/people/new/": page(CONFIRMS, other=CONFIRMS),
    "/administration/roles/<pk>/end/": step(CONFIRMS, NOT_ADMIN),
    # lists
    "/worklist/": page(LISTS),
    "/dashboard/": page(SUMMARIES),
    "/cases/": page(LISTS),
    "/cases/columns/": step(CHOOSES),
    "/cases/find/": step(FINDS),
    "/cases/new/": form(FORM, STARTS, NOT_BY_ROLE),
    "/drafts/<draft>/discard/": step(OWN_DRAFT),
    # one case
    PARTS: page(READS),
    f"{PARTS}history/": page(READS),
    f"{PARTS}tumour/": RECORD,
    f"{PARTS}patient/": RECORD,
    f"{PARTS}identity/": form(WRITES, STEPS, NOT_BY_CASE),
    f"{PARTS}identity/show/": step(WRITES),
    f"{PARTS}vital/": PART,
    f"{PARTS}complete/": step(STEPS),
    f"{PARTS}verify/": step(VERIFIES),
    f"{PARTS}amend/": step(STEPS),
    f"{PARTS}void/": step(STEPS),
    f"{PARTS}restore/<row>/": step(STEPS),
    f"{PARTS}none/": step(STEPS),
    f"{PARTS}mri/new/": PART,
    f"{PARTS}mri/<mri>/": PART,
    f"{PARTS}mri/<mri>/void/": step(STEPS),
    f"{PARTS}operations/new/": form(WRITES, STEPS, NOT_BY_CASE),
    f"{PARTS}operations/<operation>/": RECORD,
    f"{PARTS}operations/<operation>/void/": step(STEPS),
    f"{PARTS}operations/<operation>/make-index/": step(STEPS),
    f"{EVENTS}new/": PART,
    f"{EVENTS}<complication>/": PART,
    f"{EVENTS}<complication>/void/": step(STEPS),
    f"{PARTS}visits/new/": PART,
    f"{PARTS}visits/<visit>/": PART,
    f"{PARTS}visits/<visit>/void/": step(STEPS),
    f"{PARTS}recurrences/new/": PART,
    f"{PARTS}recurrences/<recurrence>/": PART,
    f"{PARTS}recurrences/<recurrence>/void/": step(STEPS),
}


def expected(route: str, verb: str, role: str) -> int:
    rows = MATRIX[route]
    return rows.get(verb, rows["other"])[role]
