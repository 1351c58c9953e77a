"""All routes. Apps are included by name, so that imports keep running one way."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from registry.styleguide import StyleguideView
from registry.views import account, administration, audit_trail, grants, home

administration_urls = [
    path("people/", administration.People.as_view(), name="people"),
    path("people/new/", administration.PersonCreate.as_view(), name="person-new"),
    path("people/<int:pk>/", administration.Person.as_view(), name="person"),
    path("people/<int:pk>/active/", administration.person_active, name="person-active"),
    path("people/<int:pk>/invite/", administration.person_invite, name="person-invite"),
    path("roles/<int:pk>/end/", administration.role_end, name="role-end"),
    path("centres/", administration.Centres.as_view(), name="centres"),
    path("centres/<int:pk>/", administration.CentreChange.as_view(), name="centre"),
    path("finer-data/", grants.Grants.as_view(), name="grants"),
    path("finer-data/<int:pk>/end/", grants.grant_end, name="grant-end"),
    path("audit/", audit_trail.AuditTrail.as_view(), name="audit"),
]

handler400 = "registry.views.errors.bad_request"
handler500 = "registry.views.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("keep-alive/", home.keep_alive, name="keep-alive"),
    path("names/", home.toggle_names, name="toggle-names"),
    path("account/", account.account, name="account"),
    path("account/tokens/new/", account.TokenCreate.as_view(), name="token-new"),
    path(
        "account/tokens/<slug:key>/revoke/", account.token_revoke, name="token-revoke"
    ),
    path("account/", include("registry.account_urls")),
    path("administration/", include((administration_urls, "administration"))),
    path("", include("outcomes.urls")),
    path("api/v1/", include("registry.api.urls")),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", StyleguideView.as_view(), name="styleguide"))
