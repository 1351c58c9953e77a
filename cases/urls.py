"""Pages that enter and correct what is known at the operation.

The namespace ``cases`` is put together in ``outcomes.urls``: the list and the page of a
case show visits as well, and imports run one way.
"""

from django.urls import path, register_converter

from cases.views import case, drafting, identity, parts, state


class CodeConverter:
    """An opaque code such as TUM-7K2M9QAB."""

    regex = r"[A-Z]{3}-[0-9A-HJKMNP-TV-Z]{6,8}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(CodeConverter, "code")

urlpatterns = [
    path("cases/new/", case.NewCase.as_view(), name="new"),
    path("cases/find/", identity.find_patient, name="find"),
    path("drafts/<code:draft>/discard/", drafting.discard_draft, name="discard-draft"),
    path("cases/<code:code>/tumour/", case.EditTumour.as_view(), name="edit-tumour"),
    path("cases/<code:code>/patient/", case.EditPatient.as_view(), name="edit-patient"),
    path(
        "cases/<code:code>/identity/", case.EditIdentity.as_view(), name="edit-identity"
    ),
    path(
        "cases/<code:code>/identity/show/", identity.show_identity, name="show-identity"
    ),
    path("cases/<code:code>/complete/", state.complete, name="complete"),
    path("cases/<code:code>/verify/", state.verify, name="verify"),
    path("cases/<code:code>/amend/", state.amend, name="amend"),
    path("cases/<code:code>/void/", state.void_case, name="void"),
    path("cases/<code:code>/none/", state.say_none, name="say-none"),
    path("cases/<code:code>/mri/new/", parts.EditMri.as_view(), name="mri-new"),
    path("cases/<code:code>/mri/<code:mri>/", parts.EditMri.as_view(), name="mri-edit"),
    path("cases/<code:code>/mri/<code:mri>/void/", state.void_mri, name="mri-void"),
    path(
        "cases/<code:code>/operations/new/",
        parts.EditOperation.as_view(),
        name="operation-new",
    ),
    path(
        "cases/<code:code>/operations/<code:operation>/",
        parts.EditOperation.as_view(),
        name="operation-edit",
    ),
    path(
        "cases/<code:code>/operations/<code:operation>/make-index/",
        state.make_index,
        name="operation-make-index",
    ),
    path(
        "cases/<code:code>/operations/<code:operation>/void/",
        state.void_operation,
        name="operation-void",
    ),
    path(
        "cases/<code:code>/operations/<code:operation>/complications/new/",
        parts.EditComplication.as_view(),
        name="complication-new",
    ),
    path(
        "cases/<code:code>/operations/<code:operation>/complications/<code:complication>/",
        parts.EditComplication.as_view(),
        name="complication-edit",
    ),
    path(
        "cases/<code:code>/operations/<code:operation>/complications/"
        "<code:complication>/void/",
        state.void_complication,
        name="complication-void",
    ),
]
