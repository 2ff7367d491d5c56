"""The names of all top-level domains, offline: from the ICANN section of the packaged Public Suffix List."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from gnomon.base import Name
from gnomon.base.provenance import Provenance
from gnomon.sources.operators import icann_rules, public_suffix_list
from gnomon.sources.zones import ZoneList


@cache
def default_tlds() -> ZoneList:
    """Every top-level domain that the list has a rule for, in canonical order.

    The list follows the root zone within days; a root zone file (`--zone-file`) is exact.
    """
    from importlib.metadata import version  # slow, and who names the zones does not need it

    names = {Name.from_text(top) for top in icann_rules()}
    package = version("publicsuffixlist")
    day = package.rpartition(".")[2]
    origin = f"Public Suffix List, ICANN section, in publicsuffixlist {package}"
    digest = sha256(public_suffix_list()).hexdigest()
    return ZoneList(tuple(sorted(names)), Provenance(origin, f"{day[:4]}-{day[4:6]}-{day[6:]}", digest))
