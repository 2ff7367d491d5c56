"""Makes docs/performance.md of what the benchmarks measured.

    python benchmarks/engine.py --json benchmarks/measured/engine.json      # and so on for each
    python benchmarks/table.py [--write docs/performance.md]

The figures are never edited by hand. The notes in measured/notes.md say why a target is missed and what the figures do
not cover.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).with_name("measured")
# What each file is about, in the order of the page.
TITLES = {
    "engine": "Query engine",
    "evidence": "Evidence",
    "growth": "Growth",
    "wire": "Messages and signatures",
    "zonefile": "Zone files",
    "assess": "Whole zones",
}
HEAD = """# Performance

Made by `python benchmarks/table.py`; do not edit. Each section is one run of `benchmarks/<name>.py`, peers and ours in
turn on the same machine. CPU is user and system time as the operating system accounts it. Other work on the cores
makes it larger, for peers and ours alike: compare the ratios inside a section, and no figure with one of another
section or day. A target that is met has a ✓; one that is missed has a ✗ and a note below.
"""


def page(results: Iterable[Mapping[str, Any]], notes: str) -> str:
    """The whole page; results in the order of `TITLES`, others after them."""
    order = list(TITLES)
    place = {name: at for at, name in enumerate(order)}
    ordered = sorted(results, key=lambda result: (place.get(result["benchmark"], len(order)), result["benchmark"]))
    parts = [HEAD, *("\n".join(section(result)) for result in ordered), "## Notes\n", notes]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def section(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {TITLES.get(result['benchmark'], result['benchmark'])}\n"
    yield f"`benchmarks/{result['benchmark']}.py`, {result['day']}, {result['machine']}, load {result['load']}\n"
    yield "| what | figure | | target | |"
    yield "| --- | ---: | --- | --- | --- |"
    for row in result["rows"]:
        target = row["target"]
        mark = "" if not target else "✓" if is_met(row["value"], target) else "✗"
        yield f"| {row['name']} | {figure(row['value'])} | {row['unit']} | {target} | {mark} |"


def is_met(value: float, target: str) -> bool:
    """True if the value is within a bound such as `<= 1.2`."""
    sign, bound = target.split()
    return {"<": value < float(bound), "<=": value <= float(bound), ">=": value >= float(bound)}[sign]


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    results = [json.loads(file.read_text()) for file in sorted(MEASURED.glob("*.json"))]
    text = page(results, (MEASURED / "notes.md").read_text())
    if args.write:
        args.write.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
