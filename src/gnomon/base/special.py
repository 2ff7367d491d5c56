"""Addresses that no public name server can have: IANA's special-purpose registries, held by the native core.

The engine's guard uses the same table, so that what a check calls special is what is not asked.
"""

from __future__ import annotations

from functools import lru_cache

from gnomon import _core
from gnomon.base.address import Address


@lru_cache(maxsize=1 << 16)
def special_purpose(address: Address) -> str | None:
    """Why `address` is not a public unicast address, in IANA's words ("Private-Use"); None if it is one.

    A zone identifier (`fe80::1%eth0`) is ignored. An address that carries IPv4 (NAT64, 6to4, Teredo)
    is special when one of those is: "6to4 of Private-Use".
    """
    return _core.special_purpose(str(address).partition("%")[0])
