"""docs/performance.md is what benchmarks/table.py makes of the measured figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_page_was_not_edited_by_hand() -> None:
    command = [sys.executable, ROOT / "benchmarks" / "table.py"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert made == (ROOT / "docs" / "performance.md").read_text()


@pytest.mark.parametrize(
    ("value", "target", "is_met"), [(1.2, "<= 1.2", True), (1.2, "< 1.2", False), (0.9, ">= 1", False)]
)
def test_targets_are_compared(value: float, target: str, is_met: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import table

    assert table.is_met(value, target) is is_met
    result = {
        "benchmark": "engine", "day": "2026-01-01", "machine": "m", "load": 1,
        "rows": [{"name": "x", "value": value, "unit": "times", "target": target}],
    }  # fmt: skip
    assert f"| x | {value:.3g} | times | {target} | {'✓' if is_met else '✗'} |" in table.page([result], "notes")
