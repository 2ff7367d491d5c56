"""Django's settings, from the data directory that GNOMON_DATA names; `instance.configure` sets it.

Without GNOMON_DATA (as when types are checked) nothing is read and nothing could be signed.
"""

from __future__ import annotations

import os
from pathlib import Path

from gnomon.review.secret import secret_key_of

_HERE = Path(__file__).parent
_DATA = os.environ.get("GNOMON_DATA", "")

DEBUG = False
SECRET_KEY = secret_key_of(Path(_DATA)) if _DATA else ""
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "gnomon.review.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "gnomon.review.audit",
    "gnomon.review.people",
    "gnomon.review.zones",
    "gnomon.review.reviews",
    "gnomon.review.register",
    "gnomon.review.findings",
    "gnomon.review.pages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "gnomon.review.pages.middleware.headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gnomon.review.pages.middleware.errors",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "gnomon.review.pages.context.workspace",
            ],
            "builtins": ["django.templatetags.i18n", "gnomon.review.pages.templatetags.gnomon"],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(Path(_DATA) / "gnomon.sqlite3"),
        "OPTIONS": {
            # A writing transaction takes the lock when it begins, so none fails half way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
            "PRAGMA busy_timeout=20000; PRAGMA journal_size_limit=67108864;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
SESSION_COOKIE_NAME = "gnomon_session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "gnomon_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "gnomon.review.pages.views.form_expired"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [str(_HERE / "locale")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
