"""Signatures over one RRset, examined one by one under a budget (RFC 4035 section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from gnomon.base import Name, RRType
from gnomon.base.codes import ALGORITHM_NAMES
from gnomon.wire import RRset, rdata
from gnomon.wire import dnssec as primitives
from gnomon.wire.rdata import Dnskey, MalformedRdata, Rrsig

MAX_SIGNATURES_PER_RRSET = 8
MAX_KEYS_PER_TAG = 4
MAX_VERIFICATIONS_PER_ZONE = 200

_SERIAL_SPAN = 1 << 32


class SignatureState(str, Enum):
    """What is known of one RRSIG record, in the order in which it is asked."""

    MALFORMED = "malformed"
    WRONG_SIGNER = "wrong-signer"
    BAD_LABELS = "bad-labels"
    NO_KEY = "no-key"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NOT_CHECKABLE = "not-checkable"
    INVALID = "invalid"
    VALID = "valid"


@dataclass(frozen=True, slots=True)
class ExaminedKey:
    """One DNSKEY record that could be read."""

    rdata: bytes
    fields: Dnskey

    @property
    def label(self) -> str:
        """Key tag and algorithm as a person writes them: `12345/ECDSAP256SHA256`."""
        return key_label(self.fields.key_tag, self.fields.algorithm)

    @property
    def may_sign(self) -> bool:
        """True for a zone key with protocol 3 (RFC 4034 section 2.1): others must not verify anything."""
        return self.fields.is_zone_key and self.fields.protocol == 3


@dataclass(frozen=True, slots=True)
class ExaminedSignature:
    """One RRSIG record and what became of it.

    `fields` is None if the record could not be read, `key` the key it names if the zone has one. `reason` says
    why it is not checkable (`algorithm`, `key-size`, `malformed-key`, `budget` ...), else it is empty.
    """

    state: SignatureState
    fields: Rrsig | None
    key: ExaminedKey | None = None
    reason: str = ""

    @property
    def label(self) -> str:
        """The key tag and algorithm in the signature."""
        return "unreadable" if self.fields is None else key_label(self.fields.key_tag, self.fields.algorithm)


@dataclass(frozen=True, slots=True)
class ExaminedRRset:
    """An RRset with all its examined signatures."""

    rrset: RRset
    signatures: tuple[ExaminedSignature, ...]

    @property
    def valid(self) -> tuple[ExaminedSignature, ...]:
        return tuple(one for one in self.signatures if one.state is SignatureState.VALID)

    @property
    def failure(self) -> str:
        """Why no signature is valid, in one word; empty if one is.

        `missing` without any signature, else the state of the signature that came closest to being valid.
        """
        if not self.signatures:
            return "missing"
        best = max((one.state for one in self.signatures), key=_STATES.index)
        return "" if best is SignatureState.VALID else best.value


_STATES = list(SignatureState)


class Validator:
    """Examines RRsets of one zone view. Counts every distinct verification once; past the budget none is made.

    The budget guards against zones made to be expensive (CVE-2023-50387). What it stops is not checkable with
    reason `budget`, never valid and never invalid.
    """

    def __init__(self, now_s: int, verifications: int = MAX_VERIFICATIONS_PER_ZONE) -> None:
        """Judge times at `now_s`, Unix seconds."""
        self._now_s = now_s
        self._left = verifications
        self._done: dict[tuple[bytes, int, tuple[bytes, ...], bytes, bytes], primitives.Verification] = {}

    def examine(self, rrset: RRset, signer: Name, keys: Sequence[ExaminedKey]) -> ExaminedRRset:
        """Look at each signature of `rrset`, which the zone `signer` should have made with one of `keys`."""
        kept = rrset.signatures[:MAX_SIGNATURES_PER_RRSET]
        results = [self._signature(rrset, octets, signer, keys) for octets in kept]
        over = ExaminedSignature(SignatureState.NOT_CHECKABLE, None, reason="budget")
        results += [over] * (len(rrset.signatures) - len(kept))
        return ExaminedRRset(rrset, tuple(results))

    def _signature(
        self, rrset: RRset, octets: bytes, signer: Name, keys: Sequence[ExaminedKey]
    ) -> ExaminedSignature:
        try:
            fields = rdata.rrsig(octets)
        except MalformedRdata:
            return ExaminedSignature(SignatureState.MALFORMED, None)
        if fields.signer != signer:
            return ExaminedSignature(SignatureState.WRONG_SIGNER, fields)
        if fields.labels > _label_count(rrset.owner):  # RFC 4035 section 5.3.1
            return ExaminedSignature(SignatureState.BAD_LABELS, fields)
        named = [key for key in keys if _is_named(key, fields)][:MAX_KEYS_PER_TAG]
        if not named:
            return ExaminedSignature(SignatureState.NO_KEY, fields)
        if serial_s(fields.expiration, self._now_s) < self._now_s:
            return ExaminedSignature(SignatureState.EXPIRED, fields, named[0])
        if serial_s(fields.inception, self._now_s) > self._now_s:
            return ExaminedSignature(SignatureState.NOT_YET_VALID, fields, named[0])
        results = [(key, self._verify(rrset, octets, key)) for key in named]
        for key, result in results:
            if result.state == primitives.VALID:
                return ExaminedSignature(SignatureState.VALID, fields, key)
        for key, result in results:
            if result.state == primitives.NOT_CHECKABLE:
                return ExaminedSignature(SignatureState.NOT_CHECKABLE, fields, key, result.reason)
        return ExaminedSignature(SignatureState.INVALID, fields, named[0])

    def _verify(self, rrset: RRset, octets: bytes, key: ExaminedKey) -> primitives.Verification:
        task = (rrset.owner.key, int(rrset.rtype), rrset.rdatas, octets, key.rdata)
        if task not in self._done:
            if self._left <= 0:
                return primitives.Verification(primitives.NOT_CHECKABLE, "budget")
            self._left -= 1
            self._done[task] = primitives.verify(rrset, octets, key.rdata)
        return self._done[task]


def read_keys(rdatas: Sequence[bytes]) -> tuple[ExaminedKey, ...]:
    """The DNSKEY records that can be read, in the order given; unreadable ones are left out."""
    keys = []
    for octets in rdatas:
        try:
            keys.append(ExaminedKey(octets, rdata.dnskey(octets)))
        except MalformedRdata:
            continue
    return tuple(keys)


def serial_s(stamp: int, now_s: int) -> int:
    """The 32-bit time of an RRSIG as Unix seconds: the moment within 68 years of `now_s` (RFC 4034 section 3.1.5)."""
    ahead = (stamp - now_s) % _SERIAL_SPAN
    return now_s + (ahead if ahead < _SERIAL_SPAN // 2 else ahead - _SERIAL_SPAN)


def iso(seconds: int) -> str:
    """Unix seconds as an ISO 8601 moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_label(key_tag: int, algorithm: int) -> str:
    """Key tag and algorithm as a person writes them: `12345/ECDSAP256SHA256`, or `12345/99` without a mnemonic."""
    return f"{key_tag}/{ALGORITHM_NAMES.get(algorithm, str(algorithm))}"


def _is_named(key: ExaminedKey, signature: Rrsig) -> bool:
    fields = key.fields
    return key.may_sign and fields.algorithm == signature.algorithm and fields.key_tag == signature.key_tag


def _label_count(owner: Name) -> int:
    """Labels as an RRSIG counts them: neither the root's nor a leading asterisk (RFC 4034 section 3.1.3)."""
    labels = owner.labels
    return len(labels) - (1 if labels[:1] == (b"*",) else 0)


def type_name(rtype: int) -> str:
    """The mnemonic of a type number."""
    return str(RRType(rtype))
