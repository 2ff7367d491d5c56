"""`gnomon doctor`: does this machine have what Gnomon needs?"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import socket
import sys
from collections.abc import Iterator

import click

from gnomon import __version__
from gnomon.cli.terminal import console, counted, row, say, table

_OK, _MISSING, _OPTIONAL = "ok", "missing", "optional"


@click.command("doctor")
def command() -> int:
    """Tell whether this machine has what Gnomon needs, and what each gap would cost."""
    say(f"Gnomon {__version__} on Python {sys.version.split()[0]}")
    found = list(_findings())
    made = table("", "", "", headings=False)
    for state, what, note in found:
        style = {_OK: "green", _MISSING: "bold red", _OPTIONAL: "yellow"}[state]
        row(made, (f"  {state}", style), what, note)
    console().print(made)
    missing = sum(state == _MISSING for state, _, _ in found)
    say("Everything needed is here." if not missing else f"{counted(missing, 'thing')} must be mended first.")
    return 1 if missing else 0


def _findings() -> Iterator[tuple[str, str, str]]:
    yield _state(sys.version_info >= (3, 11)), "Python 3.11 or newer", ""
    yield _state(_importable("gnomon._core")), "native core", "pip install builds it; cargo is needed for that"
    for module, what in (("django", "web workspace"), ("vl_convert", "report pictures")):
        extra = "gnomon[web]" if module == "django" else "gnomon[report]"
        yield _optional(_importable(module)), what, "" if _importable(module) else f"pip install '{extra}'"
    yield _state(_udp("127.0.0.1")), "UDP over IPv4", "queries to IPv4 servers"
    yield _optional(_udp("::1")), "UDP over IPv6", "without it IPv6 servers are recorded as unreachable from here"
    # All of 127/8 answers on Linux; elsewhere the lab needs addresses added by hand.
    yield _optional(_udp("127.1.2.3")), "all of 127.0.0.0/8", "the lab's servers live there"
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield _state(files >= 256), "open files", f"{files} allowed; a survey uses up to 200"
    free = shutil.disk_usage(os.curdir).free / 1e9
    yield _state(free > 0.5), "free disk", f"{free:.1f} GB here; all TLDs take about 0.1 GB"


def _state(good: bool) -> str:
    return _OK if good else _MISSING


def _optional(good: bool) -> str:
    return _OK if good else _OPTIONAL


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _udp(address: str) -> bool:
    """A socket can be bound on that local address; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
