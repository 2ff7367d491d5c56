"""What a lab world consists of, as plain values: zones, keys, delegations and where which fault sits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gnomon.base import Address, Name

DEFAULT_CLOCK_S = 1_793_491_200  # 2026-11-01T00:00:00Z: what a world's clock shows unless told otherwise
DAY_S = 86_400

RSA_ALGORITHMS = frozenset({5, 7, 8, 10})
SIGNING_ALGORITHMS = RSA_ALGORITHMS | {13, 14, 15, 16}


@dataclass(frozen=True, slots=True)
class SoaSpec:
    """The values of a SOA record (RFC 1035 section 3.3.13); times in seconds."""

    mname: Name
    rname: Name
    serial: int = 2026010100
    refresh_s: int = 14_400
    retry_s: int = 3_600
    expire_s: int = 1_209_600
    minimum_s: int = 3_600


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One DNSKEY. Keys with equal algorithm, bits and index have equal key material in every zone of the lab.

    `bits` is the size of the modulus and holds for RSA only. `signs_keys`: signs the DNSKEY, CDS and CDNSKEY
    RRsets; `signs_data`: signs all others. A key that signs nothing is only published.
    """

    flags: int
    algorithm: int
    index: int
    bits: int = 2048
    signs_keys: bool = False
    signs_data: bool = False
    protocol: int = 3


@dataclass(frozen=True, slots=True)
class DsSpec:
    """One DS record at the parent: for which key, by which digest; `corrupt` publishes a digest that is wrong."""

    key: KeySpec
    digest_type: int = 2
    corrupt: bool = False


@dataclass(frozen=True, slots=True)
class SigningSpec:
    """How a zone is signed. The two times are relative to the world's clock."""

    keys: tuple[KeySpec, ...]
    denial: str = "nsec"  # or "nsec3"
    nsec3_iterations: int = 0
    nsec3_salt: bytes = b""
    nsec3_opt_out: bool = False
    inception_s: int = -DAY_S
    expiration_s: int = 20 * DAY_S


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """One further RRset of a zone; `rdatas` uncompressed, names in lower case."""

    owner: Name
    rtype: int
    ttl_s: int
    rdatas: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ZoneSpec:
    """One zone with its delegation.

    `ns` is the NS RRset of the delegation, and of the apex unless `child_ns` is given. `glue` replaces the
    addresses that the parent publishes for a host; an empty tuple: none. `ds` is what the parent publishes. `hidden`
    are hosts that serve the zone without being named in its NS records.
    """

    name: Name
    ns: tuple[Name, ...]
    soa: SoaSpec
    child_ns: tuple[Name, ...] | None = None
    signing: SigningSpec | None = None
    ds: tuple[DsSpec, ...] = ()
    glue: Mapping[Name, tuple[Address, ...]] = field(default_factory=dict)
    records: tuple[RecordSpec, ...] = ()
    ttl_s: int = 3_600
    ns_ttl_s: int = 86_400
    hidden: tuple[Name, ...] = ()

    @property
    def apex_ns(self) -> tuple[Name, ...]:
        return self.ns if self.child_ns is None else self.child_ns


@dataclass(frozen=True, slots=True)
class Placement:
    """A fault and where it sits.

    `at` is a server name, an address, `all` (every server of `zone`) or `parent` (every server of the parent of
    `zone`; the fault then concerns the parent zone). A fault that concerns one zone concerns `zone`, or, without
    it, every zone at that server. `value` is the fault's quantity, if it has one (see `gnomon.lab.faults`).
    """

    fault: str
    at: str
    zone: Name | None = None
    value: int | None = None


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A row of the lab's routing table: an inclusive range of addresses and the AS that announces it."""

    first: Address
    last: Address
    asn: int
    name: str


def split_keys(algorithm: int, index: int = 0, *, bits: int = 2048) -> tuple[KeySpec, KeySpec]:
    """A KSK and a ZSK of that algorithm; zones with different `index` have different key material."""
    return (
        KeySpec(257, algorithm, 2 * index, bits, signs_keys=True),
        KeySpec(256, algorithm, 2 * index + 1, bits, signs_data=True),
    )
