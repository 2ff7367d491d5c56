from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: GNOMON_SHARED, or `shared` beside the checkout."""
    root = Path(os.environ.get("GNOMON_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    if not (root / "data").is_dir():
        pytest.skip("no folder of real data (GNOMON_SHARED)")
    return root / "data"
