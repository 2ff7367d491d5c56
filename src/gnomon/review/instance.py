"""One data directory: making it, pointing Django at it, keeping its database up to date."""

from __future__ import annotations

import os
from pathlib import Path

from gnomon.base import InputError

_DIRECTORY = "GNOMON_DATA"


def open_existing(data_dir: Path) -> None:
    """As `setup`, for a workspace that is there already.

    Raises:
        InputError: the directory holds no workspace; or as `setup`.
    """
    if not (data_dir / "gnomon.sqlite3").is_file():
        raise InputError(f"{data_dir} is no workspace; make one with `gnomon init {data_dir}`")
    setup(data_dir)


def configure(data_dir: Path) -> None:
    """Make Django work on `data_dir`; once per process.

    Raises:
        InputError: no such directory, or the process already works on another one.
    """
    import django
    from django.conf import settings

    if not data_dir.is_dir():
        raise InputError(f"there is no data directory {data_dir}; make it with `gnomon init {data_dir}`")
    wanted = str(data_dir.resolve())
    if settings.configured and os.environ.get(_DIRECTORY) != wanted:
        raise InputError(f"this process already serves another data directory; start a new one for {data_dir}")
    os.environ[_DIRECTORY] = wanted
    os.environ["DJANGO_SETTINGS_MODULE"] = "gnomon.review.settings"
    django.setup()


def setup(data_dir: Path) -> None:
    """Create `data_dir` where needed, configure Django for it, and bring its database up to date.

    Raises:
        InputError: `data_dir` cannot be a directory, its database is damaged or cannot be written, or the process
            already works on another directory.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot use {data_dir} as a data directory: {error.strerror}") from None
    configure(data_dir)
    from django.core.management import call_command
    from django.db import DatabaseError

    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise InputError(f"{data_dir}/gnomon.sqlite3 cannot be used: {error}; restore it from a copy") from None
