"""The same verdict as BIND, ldns and Knot, on good zones and on spoiled ones."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from small_zones import signed

from gnomon.base import Level
from gnomon.zonefile import audit, load_zone

# Valid when the tests are run: not every tool can be told a time.
NOW = int(time.time())
WINDOW = (NOW - 86400, NOW + 86400)
TOOLS = {
    "bind": ("dnssec-verify", "-q", "-z", "-o", "ex"),
    "ldns": ("ldns-verify-zone", "-V", "1"),
    "knot": ("kzonecheck", "-o", "ex", "-d", "on"),
}


def flipped(line: str) -> str:
    return line[:-20] + ("B" if line[-20] == "A" else "A") + line[-19:]


def is_denial(line: str) -> bool:
    return line.split()[3] in ("NSEC", "NSEC3") or line.split()[3:5] in (["RRSIG", "NSEC"], ["RRSIG", "NSEC3"])


def denial_of(lines: list[str]) -> str:
    """The owner of one link in the middle of the chain."""
    owners = [line.split()[0] for line in lines if line.split()[3] in ("NSEC", "NSEC3")]
    return owners[len(owners) // 2]


def flip(lines: list[str], rtype: str) -> list[str]:
    at = next(number for number, line in enumerate(lines) if line.split()[3:5] == ["RRSIG", rtype])
    return [*lines[:at], flipped(lines[at]), *lines[at + 1 :]]


SPOILED: dict[str, tuple[bool, Callable[[list[str]], list[str]]]] = {
    "good": (True, lambda lines: lines),
    "in another order": (True, lambda lines: lines[::-1]),
    "glue, which nothing signs, changed": (True, lambda lines: [x.replace("192.0.2.4", "192.0.2.44") for x in lines]),
    "one signature over A flipped": (False, lambda lines: flip(lines, "A")),
    "one signature over DS flipped": (False, lambda lines: flip(lines, "DS")),
    "the signature over the keys flipped": (False, lambda lines: flip(lines, "DNSKEY")),
    "one signature left out": (False, lambda lines: [x for x in lines if x.split()[3:5] != ["RRSIG", "MX"]]),
    "an address changed": (False, lambda lines: [x.replace("192.0.2.2", "192.0.2.22") for x in lines]),
    "one link of the chain left out": (
        False,
        lambda lines: [x for x in lines if not (is_denial(x) and x.split()[0] == denial_of(lines))],
    ),
    "a name added without anything": (False, lambda lines: [*lines, "added.ex. 3600 IN A 192.0.2.9"]),
}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("denial", ["nsec", "nsec3"])
@pytest.mark.parametrize("what", SPOILED)
def test_verdicts_agree(tool: str, denial: str, what: str, tmp_path: Path) -> None:
    command = TOOLS[tool]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    is_good, spoil = SPOILED[what]
    path = tmp_path / "zone"
    path.write_text("\n".join(spoil(list(signed(denial, *WINDOW)))) + "\n")
    theirs = subprocess.run([*command, path], cwd=tmp_path, capture_output=True, text=True)
    report = audit(load_zone(path), NOW, 1)
    assert (report.worst < Level.ERROR) == is_good, [v.sentence for v in report.verdicts]
    assert (theirs.returncode == 0) == is_good, theirs.stdout + theirs.stderr
