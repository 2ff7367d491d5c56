"""What a command does not need is not loaded: a short run is mostly the loading of modules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_LARGE = ("duckdb", "pyarrow.compute", "rich", "dns.name", "concurrent.futures", "multiprocessing", "django")
_RUN = """
import sys
from gnomon.cli import run
status = run(sys.argv[2:])
print(*(name for name in sys.argv[1].split() if name in sys.modules), file=sys.stderr)
sys.exit(status)
"""


def test_judging_one_segment_in_one_process_loads_no_large_library_but_arrow(copy: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, " ".join(_LARGE), "judge", str(copy), "--jobs", "1"],
        env={name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, "")
