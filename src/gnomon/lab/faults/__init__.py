"""Faults by name: each makes a server wrong in one way and leaves the rest of it right.

A fault can act at five places, in this order: `delegate` (what the parent publishes), `alter` (the zone's contents
on that server, before they are signed), `hear` (the query, before anything is looked up), `reshape` (the response,
before it is octets), `rewrite` (the octets as they leave). A fault is of the `server` (whatever zone is asked), of
one `zone` on it, or of the `delegation` of a zone.
"""

from gnomon.lab.faults import content, delegation, denying, dnskey, dnssec, edns, mail, message, reach, rrsig, services
from gnomon.lab.faults.fault import FAULTS, RESET, SILENCE, Closed, Fault, Reply, ZoneFault, make_fault

__all__ = [
    "FAULTS", "RESET", "SILENCE", "Closed", "Fault", "Reply", "ZoneFault", "content", "delegation", "denying",
    "dnskey", "dnssec", "edns", "mail", "make_fault", "message", "reach", "rrsig", "services",
]  # fmt: skip
