"""What a benchmark measured, as rows that a table is made of."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `target` is the bound it is held to (`<= 1.25`), empty where there is none."""

    name: str
    value: float
    unit: str
    target: str = ""


def write_json(path: Path, benchmark: str, rows: Iterable[Row]) -> None:
    """Write the rows with the machine and day they are of; figures of different files are not to be compared."""
    document = {
        "benchmark": benchmark,
        "day": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1),
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
