"""All pages about cases.

The list, the page and the history of a case show visits as well and therefore live in
this app; their names stand in the namespace ``cases`` with the rest.
"""

from django.urls import include, path

from cases import urls as case_urls
from outcomes.views import (
    case_list,
    case_page,
    dashboard,
    entry,
    history,
    void_rows,
    worklist,
)

case_pages = [
    path("cases/", case_list.case_list, name="list"),
    path("cases/columns/", case_list.choose, name="columns"),
    *case_urls.urlpatterns,
    path("cases/<code:code>/", case_page.case_page, name="detail"),
    path("cases/<code:code>/history/", history.history, name="history"),
    path(
        "cases/<code:code>/restore/<code:row>/",
        void_rows.restore,
        name="restore",
    ),
]

outcome_pages = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("worklist/", worklist.worklist, name="worklist"),
    path("cases/<code:code>/visits/new/", entry.EditVisit.as_view(), name="visit-new"),
    path(
        "cases/<code:code>/visits/<code:visit>/",
        entry.EditVisit.as_view(),
        name="visit-edit",
    ),
    path(
        "cases/<code:code>/visits/<code:visit>/void/",
        entry.void_visit,
        name="visit-void",
    ),
    path(
        "cases/<code:code>/recurrences/new/",
        entry.EditRecurrence.as_view(),
        name="recurrence-new",
    ),
    path(
        "cases/<code:code>/recurrences/<code:recurrence>/",
        entry.EditRecurrence.as_view(),
        name="recurrence-edit",
    ),
    path(
        "cases/<code:code>/recurrences/<code:recurrence>/void/",
        entry.void_recurrence,
        name="recurrence-void",
    ),
    path("cases/<code:code>/vital/", entry.EditVitalStatus.as_view(), name="vital"),
]

urlpatterns = [
    path("", include((case_pages, "cases"))),
    path("", include((outcome_pages, "outcomes"))),
]
