"""The key that signs the sessions of one data directory."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gnomon.base import Broken


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
