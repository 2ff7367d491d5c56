"""One data directory: its secret key, its database, and the Django settings made from them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from gnomon.base import Broken, InputError

APPS = ("audit", "people", "zones", "reviews", "register", "findings", "pages")

_DATABASE_START = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
    "PRAGMA busy_timeout=20000; PRAGMA journal_size_limit=67108864;"
)


def settings_for(data_dir: Path, secret_key: str) -> dict[str, Any]:
    """The settings of a workspace that keeps its state in `data_dir`."""
    here = Path(__file__).parent
    return {
        "DEBUG": False,
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1"],
        "ROOT_URLCONF": "gnomon.review.urls",
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            *(f"gnomon.review.{app}" for app in APPS),
        ],
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "gnomon.review.pages.middleware.headers",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "gnomon.review.pages.middleware.errors",
        ],
        "TEMPLATES": [
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
        ],
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(data_dir / "gnomon.sqlite3"),
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": _DATABASE_START},
            }
        },
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "AUTH_USER_MODEL": "people.User",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": 10},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        "LOGIN_URL": "sign-in",
        "LOGIN_REDIRECT_URL": "front",
        "SESSION_COOKIE_NAME": "gnomon_session",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_AGE": 14 * 24 * 3600,
        "CSRF_COOKIE_NAME": "gnomon_csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_FAILURE_VIEW": "gnomon.review.pages.views.form_expired",
        "SECURE_REFERRER_POLICY": "same-origin",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 1 << 20,
        "LANGUAGE_CODE": "en",
        "LANGUAGES": [("en", "English")],
        "USE_I18N": True,
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "STATIC_URL": "/static/",
        "LOCALE_PATHS": [str(here / "locale")],
    }


def secret_key_of(data_dir: Path) -> str:
    """The key that signs sessions; made on first use in `secret.key`, readable by the owner only."""
    path = data_dir / "secret.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_text("ascii").strip()
        if len(key) < 50:
            raise Broken(f"{path} holds no key; delete it to make a new one (everybody is signed out)") from None
        return key
    with os.fdopen(handle, "w", encoding="ascii") as file:
        key = secrets.token_urlsafe(48)
        file.write(key + "\n")
    return key


def configure(data_dir: Path) -> None:
    """Make Django work on `data_dir`; once per process.

    Raises:
        InputError: no such directory, or the process already works on another one.
    """
    import django
    from django.conf import settings

    if not data_dir.is_dir():
        raise InputError(f"there is no data directory {data_dir}; make it with `gnomon init {data_dir}`")
    data_dir = data_dir.resolve()
    wanted = settings_for(data_dir, secret_key_of(data_dir))
    if not settings.configured:
        settings.configure(**wanted)
        django.setup()
    elif settings.DATABASES["default"]["NAME"] != wanted["DATABASES"]["default"]["NAME"]:
        raise InputError(f"this process already serves another data directory; start a new one for {data_dir}")


def setup(data_dir: Path) -> None:
    """Create `data_dir` where needed, configure Django for it, and bring its database up to date.

    Raises:
        InputError: `data_dir` cannot be a directory, or the process already works on another one.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot use {data_dir} as a data directory: {error.strerror}") from None
    configure(data_dir)
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
