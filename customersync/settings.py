"""Settings, read from the environment (or a `.env` file beside manage.py).

Nothing has to be set for local use: keys are generated into the data folder and an embedded PostgreSQL is
started when it is first needed. With `DATABASE_URL` given, or `DEBUG` off, this is production: then `SECRET_KEY`,
`ENCRYPTION_KEYS`, `ALLOWED_HOSTS` and `DATABASE_URL` are required.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from csp import constants as csp
from django.core.checks import register
from django.templatetags.static import static
from django.utils.functional import SimpleLazyObject

from accounts.plugins import collect_named
from customersync.configuration import (
    Environment,
    check_names,
    read_address,
    read_database,
    read_email,
    read_networks,
    read_ports,
    read_site,
    read_zone,
)
from customersync.local_keys import encryption_key, secret_key
from customersync.logs import describe_logging
from customersync.storage_url import read_storage_url

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
if (BASE_DIR / ".env").is_file():
    env.read_file(BASE_DIR / ".env")
    register(partial(check_names, BASE_DIR / ".env"), "settings")

# Whoever gives a database is in production unless they say otherwise.
DEBUG = env.bool("DEBUG", default=not env.str("DATABASE_URL", default=""))
DATA_DIR = (BASE_DIR / env.str("DATA_DIR", default="var")).resolve()

SECRET_KEY = env.str("SECRET_KEY", default="") or secret_key(DATA_DIR, allowed=DEBUG)
# The first key encrypts, all of them decrypt: prepend a new one to rotate.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[]) or [encryption_key(DATA_DIR, allowed=DEBUG)]

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "customersync.apps.UnfoldConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "customersync.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    # Our own, in the order of their navigation; imports behind the queue, whose pages it takes away.
    "connections",
    "imports",
    "dropbox",
    "lookups",  # before import_export, whose commands it refuses
    "accounts",
    "import_export",
]

MIDDLEWARE = [
    "customersync.requests.RequestId",
    "customersync.monitors.AnswerMonitors",
    "customersync.requests.KeepMethod",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "customersync.requests.BoundBodies",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "customersync.junk.RefuseNul",
    "accounts.zones.ZoneOfViewer",
    "accounts.waiting.tell_of_waiting",
    "accounts.admin.resuming.KeepWhatWasSent",
    "accounts.admin.newcomers.WelcomeNewcomers",
]

ROOT_URLCONF = "customersync.urls"
WSGI_APPLICATION = "customersync.wsgi.application"

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
            ],
        },
    },
]

# A server that vanishes without a word is given up after two minutes: nobody else would end such a session, and who
# waits for it would wait for ever. The last one decides, the others see to it that somebody asks.
_NETWORK = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 9, "tcp_user_timeout": 120_000}
if env.str("DATABASE_URL", default="") or not DEBUG:
    DATABASES = {"default": env.get_value("DATABASE_URL", read_database)}
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    # A session that the server or something between has ended is replaced before a request uses it.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = _NETWORK | {"connect_timeout": 10} | DATABASES["default"].get("OPTIONS", {})
else:
    DATABASES = {"default": {"ENGINE": "customersync.embedded_postgres", "NAME": "customersync"}}

# A copy of the database that lists and exports are read from.
if env.str("REPLICA_URL", default=""):
    DATABASES["replica"] = {
        **env.get_value("REPLICA_URL", read_database),
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"MIRROR": "default"},
    }
    DATABASES["replica"]["OPTIONS"] = _NETWORK | {"connect_timeout": 2} | DATABASES["replica"].get("OPTIONS", {})
    DATABASE_ROUTERS = ["accounts.replicas.Router"]
    MIDDLEWARE.append("accounts.replicas.ReadReplica")

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
TIME_ZONE = env.get_value("TIME_ZONE", read_zone, default="UTC")
USE_TZ = True
FORMAT_MODULE_PATH = "customersync.formats"

# Where copies of the customer files that came are kept, for the program's own account alone; they are never served.
# While files come and are packed they lie in a folder of this machine.
storage = read_storage_url(
    env.str("STORAGE_URL", default="") or (DATA_DIR / "files").as_uri(),
    env.str("AWS_ACCESS_KEY_ID", default=""),
    env.str("AWS_SECRET_ACCESS_KEY", default=""),
)
MEDIA_ROOT = storage.folder or DATA_DIR / "files"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
KEEP_FILES_DAYS = env.int("KEEP_FILES_DAYS", default=30)
KEEP_REJECTS_DAYS = env.int("KEEP_REJECTS_DAYS", default=KEEP_FILES_DAYS)

# What else is kept for so many days; 0 for ever.
PRUNE_ISSUES_AFTER_DAYS = env.int("PRUNE_ISSUES_AFTER_DAYS", default=365)
PRUNE_MESSAGES_AFTER_DAYS = env.int("PRUNE_MESSAGES_AFTER_DAYS", default=90)
PRUNE_PULLS_AFTER_DAYS = env.int("PRUNE_PULLS_AFTER_DAYS", default=90)
PRUNE_DROPBOX_SESSIONS_AFTER_DAYS = env.int("PRUNE_DROPBOX_SESSIONS_AFTER_DAYS", default=90)
PRUNE_QUEUE_AFTER_DAYS = env.int("PRUNE_QUEUE_AFTER_DAYS", default=30)
PRUNE_RUNS_AFTER_DAYS = env.int("PRUNE_RUNS_AFTER_DAYS", default=0)
PRUNE_CHANGES_AFTER_DAYS = env.int("PRUNE_CHANGES_AFTER_DAYS", default=0)
# How much goes in an hour of what was kept long enough, so that nothing else waits for it.
PRUNE_ROWS_PER_HOUR = env.int("PRUNE_ROWS_PER_HOUR", default=500_000)

# What onboarding is taught of headers, beside what each account learns: a YAML file as export_vocabulary prints it.
ONBOARDING_VOCABULARY = Path(env.str("ONBOARDING_VOCABULARY")) if env.str("ONBOARDING_VOCABULARY", default="") else None

# Where feeds may read besides FTP, FTPS and SFTP servers: a folder of this machine with one folder for each account,
# and the schemes of fsspec's URLs. None of it unless the operator says so.
LOCAL_FEEDS = Path(env.str("LOCAL_FEEDS")).resolve() if env.str("LOCAL_FEEDS", default="") else None
URL_FEEDS = env.list("URL_FEEDS", default=[])
# The operator's own networks are closed to feeds and webhooks, which others set up, unless they are named.
loopback = read_networks("127.0.0.0/8,::1")
PRIVATE_NETWORKS = env.get_value("PRIVATE_NETWORKS", read_networks, default=loopback if DEBUG else [])
FEED_TIMEOUT = env.float("FEED_TIMEOUT", default=30)
FEED_SESSIONS_PER_HOST = env.int("FEED_SESSIONS_PER_HOST", default=4)

# The drop box, where senders leave files for feeds of that kind. What they are told of host and ports stands here;
# 0 for a port that is not served.
SITE_URL = env.get_value("SITE_URL", read_site, default="")
DROPBOX_HOST = env.str("DROPBOX_HOST", default=urlsplit(SITE_URL).hostname or "localhost")
DROPBOX_BIND = env.str("DROPBOX_BIND", default="127.0.0.1" if DEBUG else "0.0.0.0")  # noqa: S104  (senders come from outside)
DROPBOX_SFTP_PORT = env.int("DROPBOX_SFTP_PORT", default=2222)
DROPBOX_FTPS_PORT = env.int("DROPBOX_FTPS_PORT", default=2121)
DROPBOX_PASSIVE_PORTS = env.get_value("DROPBOX_PASSIVE_PORTS", read_ports, default=None)
DROPBOX_PASSIVE_ADDRESS = env.get_value("DROPBOX_PASSIVE_ADDRESS", read_address, default=None)
DROPBOX_PLAIN_FTP = env.bool("DROPBOX_PLAIN_FTP", default=False)
DROPBOX_CERTIFICATE = env.str("DROPBOX_CERTIFICATE", default="")
DROPBOX_SESSIONS = env.int("DROPBOX_SESSIONS", default=500)
DROPBOX_IDLE_SECONDS = env.int("DROPBOX_IDLE_SECONDS", default=600)

# Whoever is told when a file or a feed needs somebody.
SMTP_BACKEND = "imports.messages.smtp.EmailBackend"
email = env.get_value("EMAIL_URL", read_email, read_email("consolemail://" if DEBUG else "smtp://localhost:25"))
if email["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    email["EMAIL_BACKEND"] = SMTP_BACKEND
vars().update(email)
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Customer Sync <customersync@localhost>")

# A first load of many customers is checked by so many processes at once, where the machine has the processors.
IMPORT_PROCESSES = env.int("IMPORT_PROCESSES", default=2)

# A queue in the database for each lane of workers. A task that lasts longer than `retry` would be started twice, so
# `timeout` ends it before; what failed is not tried again by the queue, because feeds and messages know themselves when
# they are due again. What succeeded is not kept: the library unpickles what it keeps there without a signature.
WORKERS_BEAT_SECONDS = env.float("WORKERS_BEAT_SECONDS", default=10)
Q_CLUSTER = {
    "name": "customersync",
    "cluster_name": "prompt",
    "broker_class": "imports.workers.broker.LaneBroker",
    "orm": "default",
    "workers": env.int("Q_WORKERS", default=6),
    "queue_limit": 1,
    "timeout": 3000,
    "retry": 3600,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "recycle": 100,
    "max_rss": 1_000_000,
    "time_zone": "UTC",
    "label": "Customer Sync",
}

# The API. Uploads go to the disk while they come, so that no process holds a file in memory.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=600)
UPLOAD_LIMIT = env.int("UPLOAD_LIMIT", default=1_000_000_000)
# A draft of a format with a thousand columns has ten fields in each row of its form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
MIGRATION_MODULES = {"knox": None}  # its own model is not used
KNOX_TOKEN_MODEL = "accounts.AuthToken"  # noqa: S105  (a name)
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_PREFIX": "csync_", "TOKEN_TTL": timedelta(days=365)}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.BearerAuthentication",
        "accounts.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.TokenThrottle"],
    "DEFAULT_PAGINATION_CLASS": "accounts.api.pagination.KeyPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.negotiation.OneLanguage",
    "DEFAULT_METADATA_CLASS": None,  # the schema says it better
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.api.problems.handle_exception",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "GET_LIB_DOC_EXCLUDES": "accounts.api.base.without_description",
    "TITLE": "Customer Sync",
    "VERSION": "1",
    "DESCRIPTION": "What staff do day by day, for programs. Start with docs/api.md.",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "customersync.schema.describe_problems",
        "customersync.schema.describe_apps",
    ],
    "ENUM_NAME_OVERRIDES": SimpleLazyObject(lambda: collect_named("api_enums")),
}

# What the log looks like, and who gets mails about errors. Texts of errors may quote customers, so they are left out
# of it unless the operator keeps it in the house.
LOG_DETAILS = env.bool("LOG_DETAILS", default=DEBUG)
LOGGING = describe_logging(env.str("LOG_FORMAT", default="text"))
# Traces: OpenTelemetry reads the rest of its variables itself.
TRACES = bool(env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")) and not env.bool("OTEL_SDK_DISABLED", default=False)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
ADMINS = [(address, address) for address in env.list("ADMINS", default=[])]
if not DEBUG:
    DEFAULT_EXCEPTION_REPORTER = "customersync.reports.Report"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / env.str("STATIC_ROOT", default=str(DATA_DIR / "static"))
# In development files come straight from the applications; in production from STATIC_ROOT, after collectstatic.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": storage.storage,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},  # whoever collects them
    },
}

# Whether a proxy of ours says where requests come from, and by HTTPS or not.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if not DEBUG:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    # Both reach beyond this site and cannot be taken back quickly, so they are the operator's to switch on.
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
    SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Pages load nothing from other hosts, send forms to none, and run no script that stands in a page. Alpine.js, which the
# admin is made with, reads expressions from attributes, which browsers count as `unsafe-eval`.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.SELF],
        "script-src": [csp.SELF, csp.UNSAFE_EVAL],
        "style-src": [csp.SELF, csp.UNSAFE_INLINE],
        "img-src": [csp.SELF, "data:"],
        "object-src": [csp.NONE],
        "base-uri": [csp.NONE],
        "form-action": [csp.SELF],
        "frame-ancestors": [csp.NONE],
    }
}

# The theme's form does not say where to go on, so whoever opens the page of the login itself goes here.
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

UNFOLD = {
    "SITE_TITLE": "Customer Sync",
    "SITE_HEADER": "Customer Sync",
    "SITE_SUBHEADER": "Wholesale customers",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,  # there is no site beside the admin
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' "
            "fill='none' stroke='%239810fa' stroke-width='2'%3E"
            "%3Cpath d='M16 4l4 4-4 4m4-4H6m2 4-4 4 4 4m-4-4h14'/%3E%3C/svg%3E",
        }
    ],
    "BORDER_RADIUS": "6px",
    "DASHBOARD_CALLBACK": "accounts.admin.home.describe_home",
    "STYLES": [lambda _: static("console/console.css")],
    "SCRIPTS": [lambda _: static("console/console.js")],
    "LOGIN": {"form": "accounts.login.LoginForm"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "accounts.admin.navigating.show_navigation",
    },
}
