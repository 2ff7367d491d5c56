from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def written(content: str | bytes, name: str = "input") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        return path

    return written


@pytest.fixture
def real() -> Callable[[str], Path]:
    """A file of the real data, which lie in $GNOMON_SHARED or in the folder `shared` beside the checkout."""
    shared = Path(os.environ.get("GNOMON_SHARED") or Path(__file__).parents[3] / "shared")

    def found(name: str) -> Path:
        path = shared / "data" / name
        if not path.exists():
            pytest.skip(f"no {name} here; set GNOMON_SHARED")
        return path

    return found
