"""The names of all top-level domains, offline: from the ICANN section of the packaged Public Suffix List."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from publicsuffixlist import PSLFILE

from gnomon.base import Name
from gnomon.base.provenance import Provenance
from gnomon.sources.zones import ZoneList


@cache
def default_tlds() -> ZoneList:
    """Every top-level domain that the list has a rule for, in canonical order.

    The list follows the root zone within days; a root zone file (`--zone-file`) is exact.
    """
    octets = Path(PSLFILE).read_bytes()
    icann = octets.decode("utf-8").partition("===BEGIN ICANN DOMAINS===")[2].partition("===END ICANN DOMAINS===")[0]
    rules = (line.split()[0] for line in icann.splitlines() if line.strip() and not line.startswith("//"))
    names = {Name.from_text(rule.rpartition(".")[2]) for rule in rules}
    date = version("publicsuffixlist").rpartition(".")[2]
    origin = f"Public Suffix List, ICANN section, in publicsuffixlist {version('publicsuffixlist')}"
    return ZoneList(
        tuple(sorted(names)), Provenance(origin, f"{date[:4]}-{date[4:6]}-{date[6:]}", sha256(octets).hexdigest())
    )
