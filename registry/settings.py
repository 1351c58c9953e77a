"""Settings, all from the environment; an odd value stops start-up.

``.env.example`` lists every variable read here, and a test compares the two. A secret
may also come from a file named by ``NAME_FILE``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import environ
import pgtrigger
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from registry.embedded import local_database_url, local_key, local_redis_url
from registry.embedded.places import var_folder
from registry.frozen_database import WatchedConnection, WatchedCursor
from registry.local_time import zone_of_machine
from registry.logging import configure_structlog, logging_configuration

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()
if (BASE_DIR / ".env").is_file():
    env.read_env(str(BASE_DIR / ".env"))


def env_int(name: str, default: int, least: int, most: int) -> int:
    """A whole number within limits; anything else stops start-up with its name."""
    text = str(env.str(name, default=str(default)))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ImproperlyConfigured(
            f"{name}={text!r} must be a whole number from {least} to {most}."
        )
    return int(text)


def env_bool(name: str, default: bool) -> bool:
    """``true`` or ``false``; anything else stops start-up with its name."""
    text = str(env.str(name, default=str(default))).lower()
    if text not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name}={text!r} must be true or false.")
    return text == "true"


# LOCAL is what `make run` and the tests use: embedded services, plain http on the
# loopback address. Everything else is production and must bring its own secrets.
LOCAL = env_bool("MYELON_LOCAL", default=False)
DEBUG = env_bool("DEBUG", default=False)
if DEBUG and not LOCAL:
    raise ImproperlyConfigured(
        "DEBUG=true needs MYELON_LOCAL=true; never in production."
    )


def env_key(name: str) -> str:
    """A secret of at least 32 characters; a local run makes its own."""
    key = str(env.str(name, default="") or (local_key(name.lower()) if LOCAL else ""))
    if len(key) < 32:
        raise ImproperlyConfigured(f"{name} must be set, with at least 32 characters.")
    return key


# Three keys, so that each can be changed alone. What SECRET_KEY signed (sessions, places
# in lists, links, drafts) still holds under the fallbacks, until it has run out.
SECRET_KEY = env_key("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
AUDIT_KEY = env_key("AUDIT_KEY")
PSEUDONYM_KEY = env_key("PSEUDONYM_KEY")

ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if LOCAL else []
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "registry.apps.RegistryConfig",
    "cases.apps.CasesConfig",
    "outcomes.apps.OutcomesConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "knox",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",  # first: its header stands on every answer
    "registry.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "registry.middleware.NoStoreMiddleware",
    "registry.middleware.UnavailableDatabaseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "registry.middleware.SessionLimitMiddleware",
    "registry.middleware.LocalTimeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "registry.middleware.AuditContextMiddleware",
    "registry.middleware.WrongVerbMiddleware",
]

ROOT_URLCONF = "registry.urls"
WSGI_APPLICATION = "registry.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "registry.context.registry",
            ],
        },
    },
]

# --- database -----------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default="") or (
    local_database_url() if LOCAL else ""
)
if not DATABASE_URL:
    raise ImproperlyConfigured("DATABASE_URL must be set.")
DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database.")
STATEMENT_TIMEOUT_MS = env_int("STATEMENT_TIMEOUT_MS", 15_000, 0, 3_600_000)
DATABASES["default"] |= {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": DATABASES["default"].get("OPTIONS", {})
    | {
        "connect_timeout": 3,
        # A network that swallows everything: what is sent waits ten seconds for its
        # receipt, what is awaited is asked about after ten.
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "connection_factory": WatchedConnection,
        "cursor_factory": WatchedCursor,
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
        " -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The cache holds throttles and sign-in limits: in the database, so that an outage of
# Redis never becomes an outage of the pages.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
    }
}

# --- background work -------------------------------------------------------------
# Redis is the doorbell, rows are the truth. Publishing fails fast and is never retried:
# the sweep finds what was not announced.
REDIS_URL = env.str("REDIS_URL", default="") or (local_redis_url() if LOCAL else "")
if not REDIS_URL:
    raise ImproperlyConfigured("REDIS_URL must be set.")
SWEEP_SECONDS = env_int("SWEEP_SECONDS", 10, 1, 3600)
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
CELERY_BROKER_TRANSPORT_OPTIONS = {  # visibility > longest task, always
    "visibility_timeout": 1800,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "health_check_interval": 25,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "registry.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "seal-audit": {
        "task": "registry.seal_audit",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    "send-mail": {
        "task": "registry.send_mail",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_SECONDS},
    },
    # Asked every hour by every beat, done once a day.
    "clear-old": {"task": "registry.clear", "schedule": 3600},
    "back-up": {"task": "registry.back_up", "schedule": 3600},
    "clear-drafts": {"task": "cases.clear_drafts", "schedule": 3600},
    "renew-pool": {"task": "outcomes.renew_pool", "schedule": 3600},
}

# --- people -------------------------------------------------------------------------
AUTH_USER_MODEL = "registry.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "registry.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_FORMS = {
    "login": "registry.account_forms.SignInForm",
    "reauthenticate": "registry.account_forms.ReauthenticateForm",
    "reset_password": "registry.account_forms.ForgottenPasswordForm",
    "reset_password_from_key": "registry.account_forms.NewPasswordForm",
    "change_password": "registry.account_forms.ChangePasswordForm",
}
# Failures are counted by django-axes, by person and address. This slows one address that
# tries many people, and many addresses that try one person's password or second factor.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "30/m/ip,10/5m/key"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of a new password or second factor
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Myelon: "
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = False
PASSWORD_RESET_TIMEOUT = 3600
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "registry.link_tokens.LinkTokens"  # noqa: S105
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Myelon"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an administrator gave the address
MFA_FORMS = {
    "authenticate": "registry.account_forms.SecondFactorForm",
    "reauthenticate": "registry.account_forms.SecondFactorAgainForm",
    "activate_totp": "registry.account_forms.ActivateAppForm",
}
USERSESSIONS_TRACK_ACTIVITY = False
# One person's typing errors lock that person at that address, never the whole ward
# that shares the address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Its middleware would show a locked person another page than a wrong password does;
# the sign-in page answers both alike.
SILENCED_SYSTEM_CHECKS = ["axes.W002"]
AXES_USERNAME_FORM_FIELD = "login"
# Behind the proxy of docker-compose.yml there is one hop; on the loopback none.
PROXY_COUNT = env_int("PROXY_COUNT", 0 if LOCAL else 1, 0, 5)
AXES_CLIENT_IP_CALLABLE = "registry.client_address.client_address"

SESSION_COOKIE_AGE = env_int("SESSION_IDLE_MINUTES", 30, 1, 480) * 60
SESSION_ABSOLUTE_AGE = env_int("SESSION_ABSOLUTE_HOURS", 12, 1, 48) * 3600
# The middleware notes activity; polling pages must not extend a session.
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "registry.views.errors.csrf_failure"

# --- transport and headers ----------------------------------------------------------
HTTPS = not LOCAL
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "myelon_session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "myelon_csrf"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS and PROXY_COUNT else None
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# --- API ----------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "registry.authentication.TokenAuthentication",
        "registry.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["registry.api.permissions.DenyByDefault"],
    "DEFAULT_PARSER_CLASSES": ["registry.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": [
        "registry.api.throttling.TokenRateThrottle",
        "registry.api.throttling.AnonymousRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.str("API_RATE_USER", default="600/min"),
        "anon": env.str("API_RATE_ANONYMOUS", default="20/min"),
    },
    "DEFAULT_PAGINATION_CLASS": "registry.api.paging.StableCursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["registry.api.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": None,
    "EXCEPTION_HANDLER": "registry.api.errors.problem_json",
    "PAGE_SIZE": 100,
    "COERCE_DECIMAL_TO_STRING": False,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REST_KNOX = {
    "TOKEN_MODEL": "registry.ApiToken",
    "TOKEN_TTL": timedelta(days=90),
    "AUTH_HEADER_PREFIX": "Bearer",
    "AUTO_REFRESH": False,
}
KNOX_TOKEN_MODEL = "registry.ApiToken"  # noqa: S105
SPECTACULAR_SETTINGS = {
    "TITLE": "Myelon",
    "DESCRIPTION": "Surgical case registry for spinal cord tumours",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # Lists of codes stay at their fields: the same list serves several of them.
    "POSTPROCESSING_HOOKS": [],
}

# --- the audit trail ------------------------------------------------------------------
# Evidence is sealed within seconds; what waits longer than the longest transaction is
# named by verify_audit.
AUDIT_UNSEALED_MINUTES = env_int("AUDIT_UNSEALED_MINUTES", 15, 1, 1440)
# Grows by a line a day and lies apart from the database, so that a cut end is found.
AUDIT_HEADS = env.str("AUDIT_HEADS", default="") or (
    str(var_folder() / "audit-heads.jsonl") if LOCAL else ""
)

# --- history ------------------------------------------------------------------------
PGHISTORY_APPEND_ONLY = True
PGHISTORY_LEVEL = pgtrigger.Statement  # one trigger call a statement: imports stay fast

# --- words, files, logs -------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
# Of people without a centre; a centre has its own.
TIME_ZONE = env.str("TIME_ZONE", default=zone_of_machine() if LOCAL else "UTC")
USE_TZ = True
STATIC_URL = "static/"
# A local run serves the files from where they are written.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or (
    None if LOCAL else str(BASE_DIR / "var" / "static")
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEBUG and not LOCAL
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = LOCAL
EMAIL_CONFIG = environ.Env.email_url_config(
    env.str("EMAIL_URL", default="consolemail://")
)
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # a mail server that hangs must not hold a request
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="registry@localhost")
LOGGING = logging_configuration(readable=LOCAL, exception_texts=DEBUG)
configure_structlog(exception_texts=DEBUG)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

# --- the registry's own rules -------------------------------------------------------
# Public keys (age1…) for which backups are encrypted; without one they are not.
BACKUP_RECIPIENTS = env.list("BACKUP_RECIPIENTS", default=[])
DISCLOSURE_THRESHOLD = env_int("DISCLOSURE_THRESHOLD", 10, 2, 100)
# How many released rows, at least, are alike in what somebody outside may know.
RELEASE_K = env_int("RELEASE_K", 5, 2, 100)
# Whether the records are published or synthetic cases; every page then says so.
DEMO_DATA = env_bool("MYELON_DEMO_DATA", default=False)
