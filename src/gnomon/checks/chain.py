"""The chain of trust from the root anchors to every server of a zone, from the evidence alone (RFC 4035 section 5).

    anchors -> DNSKEY of the root (C2) -> DS of each cut (C1) and its DNSKEY (C2) -> DS of the zone (P2)
            -> DNSKEY (Q4) and data (Q2, Q3, Q5, Q6) at each server address

Status words are those of RFC 4035 section 4.3. Where a secure parent answers without a DS, a validated NSEC or
NSEC3 must deny it; without that the zone is bogus, since the parent's own signatures say that the denial should be
there ("missing data that the relevant DNSSEC RRs indicate should be present"). Where no usable answer was had at
all, the status is indeterminate. A DS RRset of which no algorithm or digest is known leaves the zone insecure
(section 5.2). Time is when the zone was observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from gnomon.base import ROOT, Address, Name, RRType
from gnomon.base.codes import DNSKEY, DS, NOERROR, NSEC, NSEC3, NXDOMAIN
from gnomon.base.once import once
from gnomon.checks.aliases import is_below
from gnomon.checks.inventory import Inventory, SignedAnswer, take
from gnomon.checks.observed import Answer, by_message
from gnomon.checks.proofs import Denial, Proof
from gnomon.checks.read import read_all
from gnomon.checks.replies import is_partial, referred_to
from gnomon.checks.signed import Key
from gnomon.checks.validation import (
    ExaminedRRset,
    SignatureState,
    Validator,
    describe,
    key_label,
    keys_of,
    label_of,
    may_sign,
    may_vouch,
)
from gnomon.evidence import Exchange
from gnomon.wire import RRset, dnssec, rdata
from gnomon.wire.rdata import Ds

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

MAX_DS = 8
# What the core can verify (RFC 4035 section 5.2: a DS of anything else is as if it were not there).
CHECKABLE_ALGORITHMS = frozenset({5, 7, 8, 10, 13, 14, 15, 16})
CHECKABLE_DIGESTS = frozenset({1, 2, 4})


class ChainStatus(StrEnum):
    """RFC 4035 section 4.3; in the order in which a validator that may choose prefers them."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    INDETERMINATE = "indeterminate"


_PREFERENCE = list(ChainStatus)


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain: the DS or DNSKEY RRset of `zone`.

    `reason` is a word for programs, `detail` a clause for people; both are empty for a secure step. `rejected` are
    answers of some servers that are bogus while others are better: the detail, and the exchanges of these servers.
    """

    zone: Name
    rtype: RRType
    status: ChainStatus
    reason: str = ""
    detail: str = ""
    exchanges: tuple[Exchange, ...] = ()
    rejected: tuple[tuple[str, tuple[Exchange, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class ServerTrust:
    """How the chain ends at one server address; fields as in `Link`."""

    address: Address
    status: ChainStatus
    reason: str
    detail: str
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain of one zone.

    `status` is what a validator reaches that tries every server: secure if one server is, bogus only if no
    server is better. `links` lead from the root to the zone's DS, `servers` go on from there. `inventory` holds
    the examined signatures of the zone's own data, whether trusted or not.
    """

    status: ChainStatus
    reason: str
    detail: str
    links: tuple[Link, ...]
    servers: Mapping[Address, ServerTrust]
    inventory: Inventory
    now_s: int

    @property
    def broken_above(self) -> Link | None:
        """The link above the zone's own data at which the chain ended other than secure."""
        return next((link for link in self.links if link.status is not ChainStatus.SECURE), None)


def build(view: ZoneView) -> Chain:
    """Follow the chain as far as the evidence goes."""
    validator = Validator(view.observed_at)
    links, ds = _descend(view, validator)
    inventory = take(view, validator)
    last = links[-1] if links else None
    if last is not None and last.status is not ChainStatus.SECURE:
        end = (last.status, last.reason, last.detail)
        servers = {a: ServerTrust(a, *end, last.exchanges) for a in view.addresses}
        return Chain(*end, links, servers, inventory, view.observed_at)
    judged = _Servers(view, validator, inventory, ds)
    servers = {address: judged.trust(address) for address in view.addresses}
    best = min(servers.values(), key=lambda server: _PREFERENCE.index(server.status), default=None)
    if best is None:
        none = (ChainStatus.INDETERMINATE, "no-server", f"no server address of {view.zone} is known")
        return Chain(*none, links, servers, inventory, view.observed_at)
    return Chain(best.status, best.reason, best.detail, links, servers, inventory, view.observed_at)


# From the root to the zone's DS


@dataclass(frozen=True, slots=True)
class _Step:
    """What one answer says: the status it leads to, and the DS or keys that may be trusted after it."""

    status: ChainStatus
    reason: str = ""
    detail: str = ""
    ds: tuple[Ds, ...] = ()
    keys: tuple[Key, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    rejected: tuple[tuple[str, tuple[Exchange, ...]], ...] = ()


def _descend(view: ZoneView, validator: Validator) -> tuple[tuple[Link, ...], tuple[Ds, ...]]:
    """The links from the anchors down to the zone's DS, ending at the first that is not secure, and that DS."""
    if view.undelegated is not None:
        return _given_ds(view)
    ds = _usable(view.root_anchors)
    if not view.root_anchors:
        status, detail = ChainStatus.INDETERMINATE, "no trust anchor for the root was given"
        return (Link(ROOT, DNSKEY, status, "no-trust-anchor", detail),), ()
    if not ds:
        detail = "no trust anchor of the root has an algorithm and a digest that can be checked"
        return (Link(ROOT, DNSKEY, ChainStatus.INSECURE, "unsupported", detail),), ()
    if view.is_root:
        return (), ds
    links, parent, keys = _walk(view, validator, ds, _cuts(view, view.zone.parent()))
    if links[-1].status is not ChainStatus.SECURE:
        return links, ()
    answers = view.answers("P2") + view.answers("P1")
    step = _ds_step(validator, view.zone, parent, keys, answers, view.asked("P2"), ("P2", "P1"))
    if step.reason in _UNPROVEN and view.delegation() is None:
        # The record of an alias, or of any other name of the parent, need not fit a delegation.
        detail = f"{_called(parent)} does not delegate {view.zone}"
        step = _Step(ChainStatus.INDETERMINATE, "no-delegation", detail, exchanges=step.exchanges)
    return (*links, _link(view.zone, DS, step)), step.ds


def _walk(
    view: ZoneView, validator: Validator, ds: tuple[Ds, ...], zones: Iterable[Name]
) -> tuple[tuple[Link, ...], Name, tuple[Key, ...]]:
    """The links from the root through `zones`, ending at the first that is not secure; the last zone and its keys."""
    parent, keys, links = ROOT, tuple[Key, ...](), list[Link]()
    for zone in zones:
        attempts = view.about(f"cut {str(zone).lower()}")
        answers = view.answers_about(f"cut {str(zone).lower()}")
        if not zone.is_root:
            step = _ds_step(validator, zone, parent, keys, answers, attempts, ("C1",))
            links.append(_link(zone, DS, step))
            ds = step.ds
            if step.status is not ChainStatus.SECURE:
                return tuple(links), parent, ()
        step = _dnskey_step(validator, zone, ds, answers, attempts)
        links.append(_link(zone, DNSKEY, step))
        if step.status is not ChainStatus.SECURE:
            return tuple(links), parent, ()
        parent, keys = zone, step.keys
    return tuple(links), parent, keys


def elsewhere(view: ZoneView, name: Name) -> Link:
    """How the chain ends at the closest zone at or above `name` whose keys were asked for: its last link."""
    return trusted_at(view, name)[0]


@once
def trusted_at(view: ZoneView, name: Name) -> tuple[Link, Name, tuple[Key, ...]]:
    """As `elsewhere`, with that zone and its keys; no keys unless every link is secure."""
    ds = _usable(view.root_anchors)
    if not ds:
        detail = "no trust anchor of the root that can be checked was given"
        return Link(ROOT, DNSKEY, ChainStatus.INDETERMINATE, "no-trust-anchor", detail), ROOT, ()
    links, zone, keys = _walk(view, Validator(view.observed_at), ds, _cuts(view, name))
    return links[-1], zone, keys


def _given_ds(view: ZoneView) -> tuple[tuple[Link, ...], tuple[Ds, ...]]:
    """An undelegated zone is trusted by the DS given with it; without one it is insecure by that input."""
    given = view.ds()
    usable = _usable(read_all(rdata.ds, given.rdatas)) if given else ()
    if given and usable:
        return (Link(view.zone, DS, ChainStatus.SECURE),), usable
    if given:
        detail = f"no DS given for {view.zone} has an algorithm and a digest that can be checked"
        return (Link(view.zone, DS, ChainStatus.INSECURE, "unsupported", detail),), ()
    detail = f"{view.zone} was given without a DS"
    return (Link(view.zone, DS, ChainStatus.INSECURE, "given-without-ds", detail),), ()


def _cuts(view: ZoneView, lowest: Name) -> list[Name]:
    """The zones from the root down to `lowest`: the root, and each name whose DNSKEY was asked for."""
    above = reversed(lowest.ancestors())
    return [n for n in above if n.is_root or any(x.ask == "C2" for x in view.about(f"cut {str(n).lower()}"))]


_UNPROVEN = (f"denial-{Proof.MISSING.value}", f"denial-{Proof.FAILS.value}")


def _link(zone: Name, rtype: RRType, step: _Step) -> Link:
    return Link(zone, rtype, step.status, step.reason, step.detail, step.exchanges, step.rejected)


def _ds_step(
    validator: Validator,
    zone: Name,
    parent: Name,
    keys: Sequence[Key],
    answers: Iterable[Answer],
    attempts: tuple[Exchange, ...],
    asks: tuple[str, ...],
) -> _Step:
    """The best that any parent server says about the DS of `zone`; a referral (P1) counts when nothing better came."""
    unclear: list[_Step] = []
    for ask in asks:
        given = by_message(a for a in answers if a.exchange.ask == ask)
        steps = [_ds_of(validator, zone, parent, keys, same[0]) for same in given]
        best = min(steps, key=lambda step: _PREFERENCE.index(step.status), default=None)
        if best is not None and best.status is not ChainStatus.INDETERMINATE:
            worse = [(s.detail, same) for s, same in zip(steps, given, strict=True) if s.status is ChainStatus.BOGUS]
            if best.status is ChainStatus.BOGUS or not worse:
                return best
            return replace(best, rejected=tuple([(detail, tuple([a.exchange for a in of])) for detail, of in worse]))
        unclear += [step for step in steps if step.detail]
    if unclear:
        return unclear[0]
    asked = tuple(x for x in attempts if x.ask in asks)
    word = f"no server of {_called(parent)} gave a usable answer about the DS of {zone}"
    return _Step(ChainStatus.INDETERMINATE, "no-ds-answer", word, exchanges=asked)


def _ds_of(validator: Validator, zone: Name, parent: Name, keys: Sequence[Key], answer: Answer) -> _Step:
    message, shown = answer.message, (answer.exchange,)
    if is_partial(answer) or message.rcode not in (NOERROR, NXDOMAIN):
        return _Step(ChainStatus.INDETERMINATE, "no-ds-answer", exchanges=shown)
    rrset = message.rrset("answer", zone, DS) or message.rrset("authority", zone, DS)
    if rrset is None:
        return _no_ds(validator, zone, parent, keys, answer)
    examined = validator.examine(rrset, parent, keys)
    if examined.failure:
        return _failed(examined, "ds", validator.now_s, shown, (parent, zone))
    usable = _usable(read_all(rdata.ds, rrset.rdatas))
    if not usable:
        detail = f"no DS of {zone} has an algorithm and a digest that can be checked"
        return _Step(ChainStatus.INSECURE, "unsupported", detail, exchanges=shown)
    return _Step(ChainStatus.SECURE, ds=usable, exchanges=shown)


def _no_ds(validator: Validator, zone: Name, parent: Name, keys: Sequence[Key], answer: Answer) -> _Step:
    """An answer without DS: insecure if validly denied, else bogus."""
    message, shown = answer.message, (answer.exchange,)
    if (between := next((cut for cut in referred_to(message, parent) if is_below(zone, cut)), None)) is not None:
        detail = f"{_called(parent)} refers to {between}, and nothing else is known of that zone"
        return _Step(ChainStatus.INDETERMINATE, "no-ds-answer", detail, exchanges=shown)
    denials = [r for r in message.rrsets("authority", parent) if r.rtype in (NSEC, NSEC3)]
    examined = [validator.examine(rrset, parent, keys) for rrset in denials]
    failed = next((one for one in examined if one.failure), None)
    if failed is not None:
        return _failed(failed, "denial", validator.now_s, shown, (parent, zone))
    if message.rcode == NXDOMAIN:
        detail = f"the servers of {_called(parent)} say that {zone} does not exist"
        return _Step(ChainStatus.INDETERMINATE, "no-such-name", detail, exchanges=shown)
    proof = _denial(parent, examined).no_type(zone, DS)
    if proof in (Proof.PROVEN, Proof.OPTED_OUT):
        detail = f"{_called(parent)} has no DS for {zone}"
        return _Step(ChainStatus.INSECURE, "no-ds", detail, exchanges=shown)
    if proof is Proof.TOO_COSTLY:
        detail = f"the NSEC3 iterations of {_called(parent)} are too many to be computed"
        return _Step(ChainStatus.INSECURE, "nsec3-iterations", detail, exchanges=shown)
    kind = "has no NSEC or NSEC3 record" if proof is Proof.MISSING else "has a proof that does not fit it"
    detail = f"the answer of {_called(parent)} without a DS of {zone} {kind}"
    return _Step(ChainStatus.BOGUS, f"denial-{proof.value}", detail, exchanges=shown)


def _dnskey_step(
    validator: Validator, zone: Name, ds: Sequence[Ds], answers: Iterable[Answer], attempts: tuple[Exchange, ...]
) -> _Step:
    """The best that any server of an ancestor zone says about its DNSKEY."""
    steps = []
    for answer, *_ in by_message(a for a in answers if a.exchange.ask == "C2"):
        message = answer.message
        if not is_partial(answer) and message.rcode == NOERROR:
            steps.append(enter(validator, zone, ds, message.rrset("answer", zone, DNSKEY), (answer.exchange,)))
    best = min(steps, key=lambda step: _PREFERENCE.index(step.status), default=None)
    if best is not None:
        return best
    asked = tuple(x for x in attempts if x.ask == "C2")
    detail = f"no server of {_called(zone)} gave a usable answer about its DNSKEY"
    return _Step(ChainStatus.INDETERMINATE, "no-dnskey-answer", detail, exchanges=asked)


# From a DS into a zone


def matches(ds: Ds, owner: Name, key: Key) -> bool:
    """True if the DS is of that key: tag, algorithm and digest agree (RFC 4034 section 5.1)."""
    of = key.dnskey
    if (ds.key_tag, ds.algorithm) != (of.key_tag, of.algorithm):
        return False
    return dnssec.ds_digest(owner, key.rdata, ds.digest_type) == ds.digest


def enter(
    validator: Validator, zone: Name, ds: Sequence[Ds], rrset: RRset | None, shown: tuple[Exchange, ...]
) -> _Step:
    """Validate a DNSKEY RRset by a trusted DS RRset (RFC 4035 section 5.2)."""
    if rrset is None:
        detail = f"{zone} has a DS ({_tags(ds)}) but no DNSKEY"
        return _Step(ChainStatus.BOGUS, "no-dnskey", detail, exchanges=shown)
    keys, entries = keys_of(rrset.rdatas), _entries(zone, tuple(ds), rrset.rdatas)
    if not entries:
        detail = f"no DS of {zone} ({_tags(ds)}) matches a DNSKEY"
        if unfit := [key for key in keys if any(matches(one, zone, key) for one in ds)]:
            why = "is revoked" if all(map(may_sign, unfit)) else "is no zone key with protocol 3"
            detail = f"the key that the DS of {zone} names ({', '.join(map(label_of, unfit))}) {why}"
        return _Step(ChainStatus.BOGUS, "ds-matches-no-key", detail, exchanges=shown)
    examined = validator.examine(rrset, zone, entries)
    if examined.failure == SignatureState.NO_KEY.value:
        signers = ", ".join(label_of(key) for key in entries)
        detail = f"the DNSKEY RRset of {zone} is not signed by the key that its DS names ({signers})"
        return _Step(ChainStatus.BOGUS, "no-entry-signature", detail, exchanges=shown)
    if examined.failure:
        return _failed(examined, "dnskey", validator.now_s, shown)
    return _Step(ChainStatus.SECURE, keys=tuple(key for key in keys if may_vouch(key)), exchanges=shown)


@lru_cache(maxsize=256)
def _entries(zone: Name, ds: tuple[Ds, ...], dnskeys: tuple[bytes, ...]) -> tuple[Key, ...]:
    """The keys that a DS names; many zones have the same zones above them."""
    return tuple([k for k in keys_of(dnskeys) if may_vouch(k) and any(matches(d, zone, k) for d in ds)])


def _tags(ds: Sequence[Ds]) -> str:
    return ", ".join(dict.fromkeys(key_label(one.key_tag, one.algorithm) for one in ds))


def _usable(many: Iterable[Ds]) -> tuple[Ds, ...]:
    """The DS records that can be checked; SHA-1 only where nothing better stands beside it (RFC 4509 section 3)."""
    known = [d for d in many if d.algorithm in CHECKABLE_ALGORITHMS and d.digest_type in CHECKABLE_DIGESTS][:MAX_DS]
    better = [d for d in known if d.digest_type != 1]
    return tuple(better or known)


def _failed(
    examined: ExaminedRRset,
    what: str,
    now_s: int,
    shown: tuple[Exchange, ...],
    between: tuple[Name, Name] | None = None,
) -> _Step:
    """The step for an RRset without a valid signature: bogus, or indeterminate where that cannot be told.

    A signer strictly between the zones of `between` shows a zone cut that was not walked: nothing can be said.
    """
    best, status = examined.best, ChainStatus.BOGUS
    if best is not None and best.state is SignatureState.NOT_CHECKABLE:
        status = ChainStatus.INDETERMINATE
    elif best is not None and best.fields is not None and best.state is SignatureState.WRONG_SIGNER and between:
        (above, below), named = between, best.fields.signer
        if named.is_subdomain_of(above) and below.is_subdomain_of(named) and named != below:
            status = ChainStatus.INDETERMINATE
    return _Step(status, f"{what}-{examined.failure}", describe(examined, now_s), exchanges=shown)


# At each server


class _Servers:
    """How the chain ends at each server: its DNSKEY, then its SOA, NS and negative answers.

    What is the same at several servers is judged once.
    """

    def __init__(self, view: ZoneView, validator: Validator, inventory: Inventory, ds: Sequence[Ds]) -> None:
        self._view = view
        self._validator = validator
        self._inventory = inventory
        self._ds = ds
        self._entered: dict[int, _Step] = {}
        self._proven: dict[tuple[int, int, Name | None, RRType | None], _Step] = {}

    def trust(self, address: Address) -> ServerTrust:
        view = self._view
        does = view.service(address)
        signed = self._inventory.get(("Q4", address))
        if does.state != "ok" and signed is None:
            detail = f"{view.server_label(address)} does not serve {view.zone} ({does.state})"
            return ServerTrust(address, ChainStatus.INDETERMINATE, "not-serving", detail, does.exchanges)
        if signed is None or signed.is_nxdomain:
            asked = view.asked("Q4", address)
            detail = f"{view.server_label(address)} gave no usable answer about DNSKEY"
            return ServerTrust(address, ChainStatus.INDETERMINATE, "no-dnskey-answer", detail, asked)
        step = self._enter(signed)
        for ask in ("Q2", "Q3", "Q6", "Q5"):
            other = self._inventory.get((ask, address))
            if step.status is ChainStatus.SECURE and other is not None:
                signed, step = other, self._data(other)
        return ServerTrust(address, step.status, step.reason, step.detail, (signed.answer.exchange,))

    def _enter(self, signed: SignedAnswer) -> _Step:
        rrset = signed.answer.message.rrset("answer", self._view.zone, DNSKEY)  # the same object in equal messages
        step = self._entered.get(id(rrset))
        if step is None:
            step = self._entered[id(rrset)] = enter(self._validator, self._view.zone, self._ds, rrset, ())
        return step

    def _data(self, signed: SignedAnswer) -> _Step:
        answer = signed.answer
        same = (id(signed.positive), id(signed.negative), answer.qname, answer.qtype)
        step = self._proven.get(same)
        if step is None:
            step = self._proven[same] = _data_step(self._view.zone, signed, self._validator.now_s)
        return step


def _data_step(zone: Name, signed: SignedAnswer, now_s: int) -> _Step:
    """Whether one answer validates with the zone's trusted keys: all its RRsets, and its denial if it has to."""
    for examined in signed.rrsets:
        if examined.failure:
            return _failed(examined, str(examined.rrset.rtype).lower(), now_s, ())
        if examined.is_by_revoked_only:  # which the other checks examine like any other
            rtype, keys = examined.rrset.rtype, ", ".join(dict.fromkeys(one.label for one in examined.valid))
            detail = f"{rtype} {str(examined.rrset.owner).lower()} is signed by a revoked key only ({keys})"
            return _Step(ChainStatus.BOGUS, f"{str(rtype).lower()}-revoked-key", detail)
    proof = prove(zone, signed)
    if proof in (Proof.MISSING, Proof.FAILS):
        kind = "has no NSEC or NSEC3 record" if proof is Proof.MISSING else "has a proof that does not fit it"
        detail = f"the answer about {signed.answer.qname} {signed.answer.qtype} {kind}"
        return _Step(ChainStatus.BOGUS, f"denial-{proof.value}", detail)
    # Opt-out and high iteration counts only lower the negative answer itself, not the zone.
    return _Step(ChainStatus.SECURE)


def prove(zone: Name, signed: SignedAnswer) -> Proof:
    """What the denial records of an answer prove: its denial, and that wildcards were the right source of it."""
    made = [(one.rrset.owner, one.expanded_from) for one in signed.positive if one.expanded_from is not None]
    name, qtype = signed.about, signed.answer.qtype
    if not made and not signed.is_nxdomain and not signed.is_nodata:
        return Proof.PROVEN
    denial = _denial(zone, signed.negative)
    proofs = [denial.no_closer(owner, labels) for owner, labels in made]
    if name is not None and signed.is_nxdomain:
        proofs.append(denial.no_name(name))
    elif name is not None and qtype is not None and signed.is_nodata:
        proofs.append(denial.no_type(name, qtype))
    return max(proofs, key=list(Proof).index, default=Proof.PROVEN)


def _denial(zone: Name, examined: Iterable[ExaminedRRset]) -> Denial:
    """The denial records among validated RRsets; one made from a wildcard denies nothing (RFC 4035 section 5.4)."""
    kept = (one.rrset for one in examined if one.rrset.rtype in (NSEC, NSEC3) and one.expanded_from is None)
    return Denial(zone, kept)


def _called(zone: Name) -> str:
    return "the root" if zone.is_root else str(zone)
