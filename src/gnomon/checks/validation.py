"""Signatures over one RRset, examined one by one under a budget (RFC 4035 section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from gnomon.base import Name
from gnomon.base.codes import ALGORITHM_NAMES
from gnomon.checks.read import read
from gnomon.checks.signed import Key
from gnomon.wire import RRset, dnssec, rdata
from gnomon.wire.dnssec import Verification
from gnomon.wire.rdata import Rrsig

MAX_SIGNATURES_PER_RRSET = 8
MAX_KEYS_PER_TAG = 4
MAX_VERIFICATIONS_PER_ZONE = 200

_SERIAL_SPAN = 1 << 32


class SignatureState(StrEnum):
    """What is known of one RRSIG record; a later state came closer to being valid."""

    MALFORMED = "malformed"
    WRONG_SIGNER = "wrong-signer"
    BAD_LABELS = "bad-labels"
    NO_KEY = "no-key"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    INVALID = "invalid"
    NOT_CHECKABLE = "not-checkable"
    VALID = "valid"


_STATES = list(SignatureState)
_VALID, _NOT_CHECKABLE = dnssec.State.VALID, dnssec.State.NOT_CHECKABLE


@dataclass(frozen=True, slots=True)
class ExaminedSignature:
    """One RRSIG record and what became of it.

    `fields` is None if the record was not read, `key` is the key it names if the zone has one. `reason` says why
    it is not checkable (`algorithm`, `key-size`, `malformed-key`, `budget` ...), or why no key is named: none has that
    algorithm (`other-algorithm`), or the one with that tag may not sign (`not-zone-key`); else it is empty.
    """

    state: SignatureState
    fields: Rrsig | None
    key: Key | None = None
    reason: str = ""

    @property
    def label(self) -> str:
        """The key tag and algorithm in the signature."""
        return "unreadable" if self.fields is None else key_label(self.fields.key_tag, self.fields.algorithm)


@dataclass(frozen=True, slots=True, eq=False)
class ExaminedRRset:
    """An RRset with all its examined signatures, and what follows from them; equal answers share it.

    `valid` are the valid ones, `best` is the one that came closest, None without any. `failure` says why none is
    valid (`missing`, or the state of the best one) and is empty if one is. `expanded_from` has the labels of the
    wildcard's parent if the owner was made from a wildcard (RFC 4035 section 5.3.4).
    """

    rrset: RRset
    signatures: tuple[ExaminedSignature, ...]
    valid: tuple[ExaminedSignature, ...]
    best: ExaminedSignature | None
    failure: str
    expanded_from: int | None

    @property
    def is_by_revoked_only(self) -> bool:
        """Whether all valid signatures, of which there are some, are by revoked keys."""
        return bool(self.valid) and all(one.key is not None and one.key.dnskey.is_revoked for one in self.valid)

    @classmethod
    def of(cls, rrset: RRset, signatures: tuple[ExaminedSignature, ...]) -> ExaminedRRset:
        """Sum up the signatures."""
        valid = tuple([one for one in signatures if one.state is SignatureState.VALID])
        best = max(signatures, key=lambda one: _STATES.index(one.state), default=None)
        failure = "missing" if best is None else "" if valid else best.state.value
        labels = max([one.fields.labels for one in valid if one.fields is not None], default=None)
        expanded_from = labels if labels is not None and labels < label_count(rrset.owner) else None
        return cls(rrset, signatures, valid, best, failure, expanded_from)


class Validator:
    """Examines the RRsets of one zone view and counts every distinct verification; past the budget none is made.

    The budget guards against zones made to be expensive (CVE-2023-50387). What it stops is not checkable with
    reason `budget`, neither valid nor invalid. Nothing resets it.
    """

    def __init__(self, now_s: int, verifications: int = MAX_VERIFICATIONS_PER_ZONE) -> None:
        """Judge times at `now_s`, Unix seconds."""
        self.now_s = now_s
        self._left = verifications
        self._done: dict[tuple[bytes, int, tuple[bytes, ...], bytes, bytes], Verification] = {}
        self._examined: dict[tuple[RRset, Name, tuple[bytes, ...]], ExaminedRRset] = {}
        self._same: dict[tuple[int, Name, int], tuple[RRset, Sequence[Key], ExaminedRRset]] = {}

    def examine(self, rrset: RRset, signer: Name, keys: Sequence[Key]) -> ExaminedRRset:
        """Look at each signature of `rrset`, which the zone `signer` should have made with one of `keys`.

        The same RRset, as most servers of a zone have it, is looked at once.
        """
        same = self._same.get((id(rrset), signer, id(keys)))  # by identity first: hashing octets takes longer
        if same is not None:
            return same[2]
        task = (rrset, signer, tuple([key.rdata for key in keys]))
        found = self._examined.get(task)
        if found is None:
            found = self._examined[task] = self._examine(rrset, signer, keys)
        self._same[id(rrset), signer, id(keys)] = (rrset, keys, found)  # which also keeps the two from going
        return found

    def _examine(self, rrset: RRset, signer: Name, keys: Sequence[Key]) -> ExaminedRRset:
        kept = rrset.signatures[:MAX_SIGNATURES_PER_RRSET]
        results = [self._signature(rrset, octets, signer, keys) for octets in kept]
        over = ExaminedSignature(SignatureState.NOT_CHECKABLE, None, reason="budget")
        results += [over] * (len(rrset.signatures) - len(kept))
        return ExaminedRRset.of(rrset, tuple(results))

    def _signature(self, rrset: RRset, octets: bytes, signer: Name, keys: Sequence[Key]) -> ExaminedSignature:
        fields = read(rdata.rrsig, octets)
        if fields is None:
            return ExaminedSignature(SignatureState.MALFORMED, None)
        if fields.signer != signer:
            return ExaminedSignature(SignatureState.WRONG_SIGNER, fields)
        if fields.labels > label_count(rrset.owner):  # RFC 4035 section 5.3.1
            return ExaminedSignature(SignatureState.BAD_LABELS, fields)
        named = [key for key in keys if _is_named(key, fields)]
        if not named:
            return ExaminedSignature(SignatureState.NO_KEY, fields, reason=_why_no_key(keys, fields))
        if moment_s(fields.expiration, self.now_s) < self.now_s:
            return ExaminedSignature(SignatureState.EXPIRED, fields, named[0])
        if moment_s(fields.inception, self.now_s) > self.now_s:
            return ExaminedSignature(SignatureState.NOT_YET_VALID, fields, named[0])
        return self._with_keys(rrset, octets, fields, named)

    def _with_keys(self, rrset: RRset, octets: bytes, fields: Rrsig, keys: Sequence[Key]) -> ExaminedSignature:
        doubt: ExaminedSignature | None = None
        if len(keys) > MAX_KEYS_PER_TAG:
            doubt = ExaminedSignature(SignatureState.NOT_CHECKABLE, fields, keys[MAX_KEYS_PER_TAG], "budget")
        for key in keys[:MAX_KEYS_PER_TAG]:
            result = self._verify(rrset, octets, key)
            if result is not None and result.state is _VALID:
                return ExaminedSignature(SignatureState.VALID, fields, key)
            if result is None or result.state is _NOT_CHECKABLE:
                reason = "budget" if result is None else result.reason
                doubt = doubt or ExaminedSignature(SignatureState.NOT_CHECKABLE, fields, key, reason)
        return doubt or ExaminedSignature(SignatureState.INVALID, fields, keys[0])

    def _verify(self, rrset: RRset, octets: bytes, key: Key) -> Verification | None:
        """The outcome of one verification; None when the budget is spent."""
        task = (rrset.owner.key, int(rrset.rtype), rrset.rdatas, octets, key.rdata)
        if task not in self._done:
            if self._left <= 0:
                return None
            self._left -= 1
            self._done[task] = dnssec.verify(rrset, octets, key.rdata)
        return self._done[task]


@lru_cache(maxsize=256)
def keys_of(rdatas: tuple[bytes, ...]) -> tuple[Key, ...]:
    """The DNSKEY records that can be read, in the order given."""
    return tuple(Key(octets, fields, ()) for octets in rdatas if (fields := read(rdata.dnskey, octets)))


def may_sign(key: Key) -> bool:
    """True for a zone key with protocol 3 (RFC 4034 section 2.1); any other must not verify anything."""
    return key.dnskey.is_zone_key and key.dnskey.protocol == 3


def may_vouch(key: Key) -> bool:
    """True for a key that may sign and is not revoked.

    A revoked key must not be used "as a trust anchor or for any other purpose except to validate the RRSIG it signed
    over the DNSKEY RRSet specifically for the purpose of validating the revocation" (RFC 5011 section 2.1).
    """
    return may_sign(key) and not key.dnskey.is_revoked


def moment_s(stamp: int, now_s: int) -> int:
    """The 32-bit time of an RRSIG as Unix seconds: the one within 68 years of `now_s` (RFC 4034 section 3.1.5)."""
    ahead = (stamp - now_s) % _SERIAL_SPAN
    return now_s + (ahead if ahead < _SERIAL_SPAN // 2 else ahead - _SERIAL_SPAN)


def iso(seconds: int) -> str:
    """Unix seconds as an ISO 8601 moment in UTC; the bare number outside the years 1 to 9999."""
    if not -62_135_596_800 <= seconds <= 253_402_300_799:
        return str(seconds)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def key_label(key_tag: int, algorithm: int) -> str:
    """Key tag and algorithm as a person writes them: `12345/ECDSAP256SHA256`, or `12345/99` without a mnemonic."""
    return f"{key_tag}/{ALGORITHM_NAMES.get(algorithm, str(algorithm))}"


def label_of(key: Key) -> str:
    """Key tag and algorithm of a key."""
    return key_label(key.dnskey.key_tag, key.dnskey.algorithm)


def _is_named(key: Key, signature: Rrsig) -> bool:
    of = key.dnskey
    return of.algorithm == signature.algorithm and of.key_tag == signature.key_tag and may_sign(key)


def _why_no_key(keys: Sequence[Key], signature: Rrsig) -> str:
    tags = [key.dnskey.key_tag for key in keys if key.dnskey.algorithm == signature.algorithm]
    return "not-zone-key" if signature.key_tag in tags else "" if tags else "other-algorithm"


def label_count(owner: Name) -> int:
    """Labels as an RRSIG counts them: neither the root's nor a leading asterisk (RFC 4034 section 3.1.3)."""
    labels = owner.labels
    return len(labels) - (1 if labels[:1] == (b"*",) else 0)


def describe(examined: ExaminedRRset, now_s: int) -> str:
    """Why no signature over the RRset is valid, for a sentence, naming the key and the date; empty if one is."""
    best = examined.best
    if best is not None and best.state is SignatureState.VALID:
        return ""
    what = f"{examined.rrset.rtype} {str(examined.rrset.owner).lower()}"
    if best is None:
        return f"{what} has no signature"
    of = f"the signature of {best.label} over {what}"
    if best.fields is None:
        return f"{of} cannot be read" if best.reason != "budget" else f"{what} has more signatures than are tried"
    match best.state:
        case SignatureState.EXPIRED:
            return f"{of} expired at {iso(moment_s(best.fields.expiration, now_s))}"
        case SignatureState.NOT_YET_VALID:
            return f"{of} is valid only from {iso(moment_s(best.fields.inception, now_s))}"
        case SignatureState.NO_KEY:
            if best.reason == "not-zone-key":
                return f"{of} is by a key without the ZONE flag or with another protocol than 3"
            return f"{of} is by a key that is not among the DNSKEY records"
        case SignatureState.WRONG_SIGNER:
            return f"{of} names {best.fields.signer} as signer"
        case SignatureState.BAD_LABELS:
            return f"{of} claims {best.fields.labels} labels, more than the name has"
        case SignatureState.NOT_CHECKABLE:
            return f"{of} could not be checked ({best.reason})"
    return f"{of} does not verify"
