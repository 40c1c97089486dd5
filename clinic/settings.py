"""Django settings. Every deployment value comes from the environment; `clinic/server/README.md` lists them."""

from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from environs import Env

from clinic.cursors import ComposedCursor

env = Env()

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = env.path("CLINIC_DATA_DIR", ROOT / "var")

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", [])
# Patients' phone hashes are stored: with a separate key, SECRET_KEY can change without affecting them.
PHONE_HASH_KEY = env.str("PHONE_HASH_KEY", "") or SECRET_KEY
# Set instead of derived from SECRET_KEY, newest first (clinic.access.secret_keys).
ACCESS_TOKEN_KEYS: list[str] = env.list("ACCESS_TOKEN_KEYS", [])
CREDENTIAL_KEYS: list[str] = env.list("CREDENTIAL_KEYS", [])
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY in the environment (see clinic/server/README.md).")
if not DEBUG and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS in the environment (see clinic/server/README.md).")

# The name of this installation in access tokens (`aud`, `iss`) and in examples of the API references.
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")

# Limits of one API credential, and of failed authentications from one address.
API_REQUESTS_A_MINUTE = env.int("API_REQUESTS_A_MINUTE", 300)
API_REQUESTS_A_SECOND = env.int("API_REQUESTS_A_SECOND", 30)
API_FAILURES_A_MINUTE = env.int("API_FAILURES_A_MINUTE", 60)
# Limits of password tries: from one address for all names, and of one name from all addresses.
SIGN_INS_A_MINUTE = env.int("SIGN_INS_A_MINUTE", 30)
SIGN_INS_OF_NAME_AN_HOUR = env.int("SIGN_INS_OF_NAME_AN_HOUR", 30)
STORED_ANSWER_DAYS = env.int("STORED_ANSWER_DAYS", 30)

# Plain HTTP is for the loopback interface only: `manage.py start` sets it, a deployment never does.
PLAIN_HTTP = env.bool("PLAIN_HTTP", False)
SECURE_SSL_REDIRECT = not PLAIN_HTTP
SESSION_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_SECURE = not PLAIN_HTTP
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not PLAIN_HTTP
# Browsers remove a preloaded domain only after months, so the owner of the domain has to ask for it.
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", False)
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # because SECURE_HSTS_PRELOAD is off
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
# One that drops header names with underscores, as nginx does (clinic/server/README.md).
TRUSTED_PROXY = env.bool("TRUSTED_PROXY", False)
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

INSTALLED_APPS = [
    "clinic.apps.ClinicConfig",
    "clinic.apps.ClinicAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "axes",
    "django_htmx",
    "phonenumber_field",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "clinic.web.middleware.RefusedBodyMiddleware",
    "clinic.web.middleware.FieldCountMiddleware",
    "clinic.web.middleware.RefusedSignInMiddleware",
    "clinic.web.importing.upload.FileUploadMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "clinic.access.middleware.ApiCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    # First the session is ended that lasted too long, then its user is loaded: in the other order the request that ends
    # a session would still be answered to its user.
    "clinic.access.middleware.SessionTimeoutMiddleware",
    "clinic.access.middleware.SessionUserMiddleware",
    "clinic.access.middleware.ClinicMiddleware",
    "clinic.web.middleware.MethodNotAllowedMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic.access.middleware.SignInMiddleware",
    "clinic.access.middleware.DoctorMiddleware",
    "clinic.access.middleware.SameUserMiddleware",
    "clinic.access.authors.AuthorMiddleware",
    "axes.middleware.AxesMiddleware",
    "clinic.access.accesses.AccessLogMiddleware",
]

ROOT_URLCONF = "clinic.urls"
PROGRAMS = ("/api/", "/v1/", "/openapi.json", "/llms.txt", "/health")  # no sessions below these paths
WSGI_APPLICATION = "clinic.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csp",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.web.first_steps.context.set_up",
            ],
        },
    },
    {
        # For pages that are mostly cells.
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [ROOT / "templates" / "jinja2"],
        "OPTIONS": {"environment": "clinic.web.jinja.environment"},
    },
]

LOCK_WAIT_SECONDS = 3
DATABASES = {"default": env.dj_db_url("DATABASE_URL", "postgres:///clinic")}
DATABASES["default"] |= {
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": DATABASES["default"].get("OPTIONS", {})
    | {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", 16), "timeout": 10},
        # A booking that waits longer than this for a doctor's row answers "try again" (clinic.transactions).
        # No statement is so long that it is worth compiling it first, which a wrong estimate of its rows would cause.
        "options": f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c idle_in_transaction_session_timeout=60s -c jit=off",
        # Parameters are sent separately from the statement, so that PostgreSQL never logs them with it.
        "server_side_binding": True,
        "cursor_factory": ComposedCursor,
        "prepare_threshold": 3,  # of a prepared_cursor
    },
}

AUTH_USER_MODEL = "clinic.StaffUser"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "clinic.access.backends.StaffBackend"]
PASSWORD_HASHERS = [
    "clinic.access.hashing.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "web:signin"
LOGIN_REDIRECT_URL = "web:home"
LOGOUT_REDIRECT_URL = "web:signin"
CSRF_FAILURE_VIEW = "clinic.web.signin.views.csrf_failed"

# A session ends 12 hours after signing in, or after 2 hours without a request (clinic.access.middleware). Its cookie
# lasts longer: an ended session grants nothing, but identifies the author of a form that is sent after a weekend.
SESSION_LIFE_SECONDS = 12 * 3600
SESSION_IDLE_SECONDS = 2 * 3600
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_ENGINE = "clinic.access.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# Five failures lock one user at one address: a colleague at the same counter can still sign in.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "clinic.access.lockout.counted_username"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "clinic.web.signin.views.locked_out"
AXES_CLIENT_IP_CALLABLE = "clinic.access.addresses.client_address"
AXES_VERBOSE = False
# Its rows belong to all clinics, so no clinic's admin shows them; successes are not stored.
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False

LANGUAGE_CODE = "pt-br"
LANGUAGES = [("pt-br", "Português (Brasil)"), ("pt-pt", "Português (Portugal)")]
# `makemessages` writes the first; the second holds strings missing from Django's own catalogues, which it would drop.
LOCALE_PATHS = [ROOT / "clinic" / "locale", ROOT / "clinic" / "locale" / "of_django"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "clinic.formats"
# The admin's button "Agora" writes the first format; Django's own for Portuguese has seconds.
TIME_INPUT_FORMATS = ["%H:%M", "%H:%M:%S"]

STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_ROOT = env.path("STATIC_ROOT", DATA_DIR / "static")
# Two bundles of each kind, one of every page and one of a page's own: after signing in the first is there already.
# django-compressor and django-pipeline want tags or lists of their own and know neither layers nor modules; WhiteNoise
# and Django do not join files; esbuild would be a second toolchain.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "clinic.bundles.BundledStaticFilesStorage"},
}
# Pages refer to hashed files only; compressing the others too would double the time of the first start.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Error pages refer to an unhashed file, /standalone.css, which is served from the sources.
WHITENOISE_ROOT = ROOT / "static"
WHITENOISE_MAX_AGE = 3600

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # clinic.server reads no more of a body
# Only one page accepts files (`clinic.web.importing.upload`): others are dropped while they are read.
FILE_UPLOAD_HANDLERS: list[str] = []
# In the administration a payer's page has five fields for each price, and the page that raises prices one for each
# procedure. Everywhere else no query and no form has more than MAX_FIELDS.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2500
MAX_FIELDS = 500

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"without_rows": {"()": "clinic.logs.WithoutRows"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "without_rows"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Requests for another host get a 400, and scanners must not fill the log with them. What xhtml2pdf warns of quotes
    # the document, and so patients' data.
    "loggers": {
        "clinic.api": {"level": "INFO"},
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
        "xhtml2pdf": {"level": "CRITICAL"},
    },
}
