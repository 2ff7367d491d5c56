"""The unit of evidence: one attempt with its circumstances, and the reference by which a claim cites it."""

from __future__ import annotations

from dataclasses import dataclass

from gnomon.base import Address, Name, Transport
from gnomon.engine import Status


class EvidenceRef(str):
    """Points to one exchange for ever: the text `<Merkle root of its segment in 64 hexadecimal digits>:<row>`.

    Root and row do not depend on the file's compression.
    """

    __slots__ = ()

    @property
    def segment(self) -> str:
        return self.partition(":")[0]

    @property
    def row(self) -> int:
        return int(self.partition(":")[2])

    @property
    def short(self) -> str:
        """For people: 16 digits are enough to find it."""
        return f"{self[:16]}:{self.row}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded attempt.

    `subject` says what the question was asked for and groups the rows of a segment:
        `zone <name>`     questions whose answers judge that zone (child side and its delegation at the parent);
        `server <addr>`   the compliance pack of one server address, asked once for all zones it serves;
        `name <name>`     resolution of a name server's addresses (the walk to its zone, then A and AAAA);
        `cut <name>`      chain of trust: DS at the parent and DNSKEY at the apex of an ancestor zone.
    `ask` is the code of the question in the plan (Q1, P1, S3 ...; catalogue of the plan: `gnomon.survey.plan`).
    Names are in lower case with final dot in `subject`. `server_name` is the name under which the address was
    found, None for the root hints or where it has none. `address` is always the real address, also when a lab
    maps it to loopback.
    """

    seq: int
    subject: str
    ask: str
    server_name: Name | None
    address: Address
    port: int
    transport: Transport
    attempt: int
    sent_at_ns: int
    rtt_us: int | None
    local_port: int
    status: Status
    os_error: int
    query: bytes
    response: bytes | None
    vantage: str
    ref: EvidenceRef | None = None
