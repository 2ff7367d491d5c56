"""Automation beyond CDS: signals for a first DS, CSYNC for NS and glue, and what the parent offers."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address, Name
from gnomon.base.codes import AAAA, CDNSKEY, CDS, CSYNC, DSYNC, NOERROR, NS, NXDOMAIN, A, RRType
from gnomon.base.signals import dsync_names, signal_name
from gnomon.checks.chain import ChainStatus, trusted_at
from gnomon.checks.inventory import answers_at
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import in_order, read, read_all
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.requests import NO_REQUEST, asking, shown, wanted_ds, without_request
from gnomon.checks.unjudged import unjudged
from gnomon.checks.validation import Validator
from gnomon.checks.view import ZoneView
from gnomon.evidence.subject import name_subject
from gnomon.wire import RRset, rdata

_NOTIFY = 1
_IMMEDIATE, _SOA_MINIMUM = 1, 2


@check(
    "auto.bootstrap-signal",
    properties=(SEC,),
    asked=("H7", "Q8", "Q8K", "P2"),
    codes={
        "eligible": "{names:The operator of the only outside name server|The operators of all outside name servers} of "
        "{zone} {names:vouches|vouch} for its CDS records ({names}).",
        "incomplete": "{names:The operator|The operators} of {names} {names:does|do} not vouch for the CDS records of "
        "{zone}; those of all outside name servers would have to.",
        "contradicts": "The signal at {name} is for other keys than the CDS records of {zone}.",
        "unsigned": "The signal at {name} cannot be validated, as {above} is not signed: parents must ignore it.",
        "bogus": "The signal at {name} does not validate: {detail}.",
        "signal-unknown": "Whether the operator vouches for {zone} at {name} is not known.",
        "all-inside": "All name servers of {zone} are inside it: nobody else can vouch for its keys.",
        "has-ds": "{zone} has a DS already.",
        "asks-removal": "{zone} asks that there be no DS for it.",
        "parent-no-answer": "No server of the parent of {zone} gave a usable answer about its DS.",
        **NO_REQUEST,
    },
)
def bootstrap_signal(view: ZoneView) -> Iterator[Outcome]:
    """Where a zone asks for its first DS, the operators of its name servers vouch for it alike.

    Why: without a DS nothing protects the CDS records; the operators' own signed zones can.
    Rule: error if the records under _dsboot of any outside name server differ from the zone's own CDS or CDNSKEY
        records, or do not validate; notice if the zone they are in is not signed. That some name servers have none,
        or that all vouch, is a fact.
    Source: RFC 9615 sections 3 and 4.
    Do: let each operator publish the same records, in a signed zone, or none.
    """
    of, names = asking(view), [name for name in view.ns_names if signal_name(view.zone, name) is not None]
    if not of:
        yield from without_request(view)
    elif view.ds() is not None or view.is_root:
        yield not_applicable("has-ds", view.asked("P2"))
    elif view.undelegated is None and not view.ds_sets():
        yield unknown("parent-no-answer", view.asked("P2"))
    elif any(one.asks_deletion for one in of) and not any(wanted_ds(view, one) for one in of):
        yield not_applicable("asks-removal", shown(view, of))
    elif not names:
        yield not_applicable("all-inside", shown(view, of))
    else:
        found = {name: _signal(view, name) for name in names}
        clean = True
        for name, (code, facts) in found.items():
            if code in ("contradicts", "unsigned", "bogus", "signal-unknown"):
                clean, text = False, str(signal_name(view.zone, name))
                state = unknown if code == "signal-unknown" else outcome
                yield state(code, view.about(name_subject_of(view, name)), subject=str(name), name=text, **facts)
        lacking = tuple(str(name) for name, (code, _) in found.items() if code == "none")
        exchanges = [x for name in names for x in view.about(name_subject_of(view, name))]
        if lacking:
            yield outcome("incomplete", exchanges, names=lacking)
        elif clean:
            yield outcome("eligible", exchanges, names=tuple(map(str, names)))


def name_subject_of(view: ZoneView, ns_name: Name) -> str:
    """The subject of the exchanges about a name server's signal."""
    signal = signal_name(view.zone, ns_name)
    return name_subject(signal) if signal is not None else ""


def _signal(view: ZoneView, ns_name: Name) -> tuple[str, dict[str, str]]:
    """What the signal of one name server says, as a code with its facts."""
    name = signal_name(view.zone, ns_name)
    answers = [a for a in view.answers_about(name_subject_of(view, ns_name)) if a.message.aa]
    usable = [a for a in answers if a.message.rcode in (NOERROR, NXDOMAIN) and not a.message.tc]
    if name is None or len({a.qtype for a in usable}) < 2:
        return "signal-unknown", {}
    sets = {t: _first(usable, name, t) for t in (CDS, CDNSKEY)}
    if not any(sets.values()):
        return "none", {}
    own = asking(view)[0]
    for rtype, mine in ((CDS, own.cds), (CDNSKEY, own.cdnskey)):
        theirs = sets[rtype]
        if (theirs.rdatas if theirs else ()) != (mine.rdatas if mine else ()):
            return "contradicts", {}
    link, zone, keys = trusted_at(view, name)
    if link.status is not ChainStatus.SECURE:
        code = {ChainStatus.INSECURE: "unsigned", ChainStatus.BOGUS: "bogus"}.get(link.status, "signal-unknown")
        return code, {"above": str(link.zone), "detail": link.detail}
    validator = Validator(view.observed_at)
    failures = [e.failure for rrset in sets.values() if rrset and (e := validator.examine(rrset, zone, keys)).failure]
    return ("bogus", {"detail": f"its signature is {failures[0]}"}) if failures else ("vouches", {})


def _first(answers: list[Answer], name: Name, rtype: int) -> RRset | None:
    found = (answer.message.rrset("answer", name, rtype) for answer in answers)
    return next((rrset for rrset in found if rrset is not None), None)


@check(
    "auto.csync",
    properties=(STA,),
    asked=("Q8C", "Q6", "Q2"),
    codes={
        "asks": "{zone} asks its parent to take over {types} from it (CSYNC).",
        "waits": "{zone} asks its parent to take over {types} once its serial is {serial}; it is {now}.",
        "none": "{zone} has no CSYNC record.",
        "differ": "The servers of {zone} have different CSYNC records.",
        "several": "{servers} {servers:has|have} more than one CSYNC record of {zone}.",
        "malformed": "{servers} {servers:has|have} a CSYNC record of {zone} that cannot be read.",
        "unknown-flags": "{servers} {servers:has|have} a CSYNC record of {zone} with flags {flags}, which no parent "
        "may act on.",
        "unknown-types": "{servers} {servers:has|have} a CSYNC record of {zone} for {types}; parents take over NS, A "
        "and AAAA only.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def csync(view: ZoneView) -> Iterator[Outcome]:
    """A CSYNC record is one that a parent can act on.

    Why: a parent that reads it changes the delegation by itself; one that it must refuse changes nothing, unnoticed.
    Rule: error for more than one record, one that cannot be read, flags other than immediate (1) and soaminimum (2),
        or different records at different servers; notice for types other than NS, A and AAAA; otherwise a fact. An
        unsigned zone is not asked, as no parent may act on its record. Whether the name servers that the parent would
        take over work is said by the checks of delegation.
    Source: RFC 7477 sections 2 and 3; RFC 9975.
    Do: publish one record, and remove it once the parent has acted.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    sets, heard = view.apex_rrset(CSYNC), hear(view, "Q8C", "Q6", edns=True)
    exchanges = [x for address in view.addresses for x in view.asked("Q8C", address)] or view.asked("Q6")
    found: dict[str, list[Address]] = {}
    for address, rrset in sets.items():
        for code in _csync_flaws(rrset):
            found.setdefault(code, []).append(address)
    read_ones = read_all(rdata.csync, [octets for rrset in sets.values() for octets in rrset.rdatas])
    types = tuple(str(RRType(t)) for t in sorted(read_ones[0].types)) if read_ones else ()
    flags = read_ones[0].flags if read_ones else 0
    for code, at in sorted(found.items()):
        yield outcome(code, exchanges, servers=labels(view, at), flags=flags, types=types)
    if len({rrset.rdatas for rrset in sets.values()}) > 1 or (sets and _lacks_some(view, tuple(sets))):
        yield outcome("differ", exchanges)
    elif sets and not found:
        soa = next(iter(view.soas().values()), None)
        serial, now = read_ones[0].serial, soa.serial if soa is not None else 0
        waits = flags & _SOA_MINIMUM and soa is not None and (serial - now) & 0xFFFFFFFF < 1 << 31 and serial != now
        yield outcome("waits" if waits else "asks", exchanges, types=types, serial=serial, now=now)
    elif not sets and heard.answers:
        yield outcome("none", exchanges)
    yield from unheard(view, heard, "Q8C")


def _csync_flaws(rrset: RRset) -> Iterator[str]:
    if len(rrset.rdatas) > 1:
        yield "several"
    for octets in rrset.rdatas:
        record = read(rdata.csync, octets)
        if record is None:
            yield "malformed"
        elif record.flags & ~(_IMMEDIATE | _SOA_MINIMUM):
            yield "unknown-flags"
        elif record.types - {NS, A, AAAA}:
            yield "unknown-types"


def _lacks_some(view: ZoneView, having: tuple[Address, ...]) -> bool:
    """Whether a server that gives signed answers has no CSYNC record while others have."""
    inventory = view.chain().inventory
    return any(answers_at(inventory, a) and a not in having for a in signed_servers(view))


@check(
    "auto.parent-dsync",
    properties=(STA, IOP),
    asked=("P5",),
    codes={
        "offered": "The parent of {zone} wants to be told of changes: {targets}.",
        "none": "The parent of {zone} does not say whom to tell of changes: it looks when it likes, or never.",
        "malformed": "The parent of {zone} has a DSYNC record at {name} that cannot be read.",
        "no-answer": "No server of the parent of {zone} gave a usable answer about DSYNC records.",
        "not-needed": "{zone} has no CDS, CDNSKEY or CSYNC records that its parent could be told of.",
        "given": "The delegation of {zone} was given by hand, so the parent was not asked.",
        "root": "The root has no parent.",
    },
)
def parent_dsync(view: ZoneView) -> Iterator[Outcome]:
    """The parent says whom to tell when the zone changes its CDS, CDNSKEY or CSYNC records.

    Why: a parent that is told acts within minutes; otherwise a rollover waits for its next look, if it looks at all.
    Rule: a fact: the targets for CDS and CSYNC, or none; error for a record that cannot be read. Whether a target
        listens is not tried, for a NOTIFY is sent by the zone's operator only.
    Source: RFC 9859 sections 2 and 4.1.
    Do: have the signer send NOTIFY messages to the target.
    """
    asked = view.asked("P5")
    if not asked:
        code = "root" if view.is_root else "given" if view.undelegated is not None else "not-needed"
        yield not_applicable(code)
        return
    answers = view.answers("P5")
    names = dsync_names(view.zone, view.parent_zone)
    for answer in answers:
        records = [record for record in answer.message.answer if record.rtype == DSYNC]
        found = read_all(rdata.dsync, [record.rdata for record in records])
        if len(found) < len(records):
            yield outcome("malformed", answer.exchange, name=str(answer.qname))
        if found:
            targets = in_order(one.target for one in found)
            texts = [f"{RRType(one.rtype)} to {one.target} port {one.port}" for one in found if one.scheme == _NOTIFY]
            yield outcome("offered", answer.exchange, targets=tuple(texts) or tuple(map(str, targets)))
        if records:
            return
    denied = {a.qname for a in answers if a.message.rcode in (NOERROR, NXDOMAIN) and a.message.aa}
    if names and denied >= set(names):
        yield outcome("none", asked)
    else:
        yield unknown("no-answer", asked)


@unjudged("auto.parent-processes", properties=(STA,), needs="registration-data")
def parent_processes() -> None:
    """The parent looks for CDS, CDNSKEY and CSYNC records and acts on them.

    Why: where it does not, every change of keys needs a person at the registrar.
    Rule: a fact; notice for a top-level domain that neither looks for these records nor takes a DS from registrars.
    Source: RFC 8078; RFC 7477; RFC 5910.
    Do: ask the registry, or read its policy.
    """
