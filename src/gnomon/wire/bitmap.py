"""What the NSEC or NSEC3 record of a zone's apex says of the types there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gnomon.base.codes import DNSKEY, NS, NSEC, NSEC3, SOA
from gnomon.wire import rdata
from gnomon.wire.message import Message
from gnomon.wire.rdata import MalformedRdata, Nsec, Nsec3

_READERS: Mapping[int, Callable[[bytes], Nsec | Nsec3]] = {NSEC: rdata.nsec, NSEC3: rdata.nsec3}
_ONLY_AT_APEX = {SOA, NS, DNSKEY}


def apex_types(message: Message) -> frozenset[int]:
    """The types at the apex as a negative answer about another type there lists them; empty if it does not.

    Nothing is validated. Only the apex of a zone has SOA, NS and DNSKEY in its list.
    """
    for record in message.authority:
        if record.rtype in _READERS:
            try:
                types = _READERS[record.rtype](record.rdata).types
            except MalformedRdata:
                continue
            if types >= _ONLY_AT_APEX:
                return types
    return frozenset()
