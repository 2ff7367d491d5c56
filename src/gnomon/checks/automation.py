"""CDS and CDNSKEY records: are they there, right, the same everywhere, and safe to act on."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base.codes import DNSKEY
from gnomon.checks.chain import CHECKABLE_ALGORITHMS, CHECKABLE_DIGESTS, ChainStatus, enter
from gnomon.checks.entry import ds_records
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import REL, SEC, STA, check
from gnomon.checks.replies import labels
from gnomon.checks.requests import (
    DELETE_CDNSKEY,
    DELETE_CDS,
    NO_REQUEST,
    Request,
    asking,
    is_of,
    requests,
    shown,
    wanted_ds,
    without_request,
)
from gnomon.checks.validation import Validator
from gnomon.checks.view import ZoneView

_ASKS = ("Q8", "Q8K", "Q6")


@check(
    "auto.cds-exists",
    properties=(STA,),
    asked=_ASKS,
    codes={
        "both": "{zone} has CDS and CDNSKEY records.",
        "none": "{zone} has no CDS or CDNSKEY records, from which its parent could keep the DS up to date.",
        "cds-only": "{servers} {servers:has|have} CDS records of {zone}, but no CDNSKEY records.",
        "cdnskey-only": "{servers} {servers:has|have} CDNSKEY records of {zone}, but no CDS records.",
        "half-known": "No server of {zone} gave proper answers about both CDS and CDNSKEY records.",
    },
)
def cds_exists(view: ZoneView) -> Iterator[Outcome]:
    """A zone that has CDS records has CDNSKEY records too, and the other way round.

    Why: some parents read the one, some the other; what they do not find they do not act on.
    Rule: notice for servers with one of the two only; otherwise only a fact. Unsigned zones are asked at one server.
    Source: RFC 7344 section 4; RFC 9615 section 4.1.
    Do: publish both, as maintained signers do on their own.
    """
    known = requests(view)
    only_cds = [one for one in known if one.cds is not None and one.cdnskey is None and one.knows_cdnskey]
    only_cdnskey = [one for one in known if one.cds is None and one.knows_cds and one.cdnskey is not None]
    both = any(one.cds is not None and one.cdnskey is not None for one in known)
    neither = any(one.knows_cds and one.knows_cdnskey for one in known)
    for code, of in (("cds-only", only_cds), ("cdnskey-only", only_cdnskey)):
        if of:
            yield outcome(code, shown(view, tuple(of)), servers=labels(view, [one.address for one in of]))
    if both and not only_cds and not only_cdnskey:
        yield outcome("both", shown(view, known))
    elif known and not asking(view) and neither:
        yield outcome("none", shown(view, known))
    elif not only_cds and not only_cdnskey:
        yield unknown("half-known", shown(view, known))


@check(
    "auto.cds-cdnskey-agree",
    properties=(SEC,),
    asked=_ASKS,
    codes={
        "agree": "The CDS and CDNSKEY records of {zone} are of the same keys.",
        "mismatch": "The CDS and CDNSKEY records of {zone} are of different keys at {servers}.",
        "one-kind": "No server of {zone} has both CDS and CDNSKEY records (see auto.cds-exists).",
        **NO_REQUEST,
    },
)
def cds_cdnskey_agree(view: ZoneView) -> Iterator[Outcome]:
    """CDS and CDNSKEY records are of the same keys.

    Why: which DS the parent then publishes depends on which of the two it reads; it should refuse both.
    Rule: error for servers where a CDS is of no CDNSKEY, a CDNSKEY has no CDS, or one asks for deletion alone.
    Source: RFC 7344 section 4.
    Do: make both anew from the same keys.
    """
    of = asking(view)
    if not of:
        yield from without_request(view)
        return
    both = [one for one in of if one.cds is not None and one.cdnskey is not None]
    bad = [one for one in both if not _agree(view, one)]
    if bad:
        yield outcome("mismatch", shown(view, tuple(bad)), servers=labels(view, [one.address for one in bad]))
    elif both:
        yield outcome("agree", shown(view, tuple(both)))
    else:
        yield not_applicable("one-kind", shown(view, of))


def _agree(view: ZoneView, one: Request) -> bool:
    same_deletion = one.cds_asks_deletion == one.cdnskey_asks_deletion
    each_cds = all(any(is_of(view, ds, key) for key in one.keys) for ds in one.ds)
    return same_deletion and each_cds and all(any(is_of(view, ds, key) for ds in one.ds) for key in one.keys)


@check(
    "auto.cds-servers-agree",
    properties=(SEC, STA),
    asked=_ASKS,
    codes={
        "agree": "All servers of {zone} that gave an answer have the same CDS and CDNSKEY records.",
        "cds-differ": "The servers of {zone} have different CDS records: {servers} unlike the others.",
        "cdnskey-differ": "The servers of {zone} have different CDNSKEY records: {servers} unlike the others.",
        **NO_REQUEST,
    },
)
def cds_servers_agree(view: ZoneView) -> Iterator[Outcome]:
    """All servers have the same CDS and CDNSKEY records.

    Why: a single server could otherwise change the DS; parents must refuse when servers differ.
    Rule: error if the RRsets differ between servers, none counting as different from some.
    Source: RFC 9975; RFC 7344 section 6.2.
    Do: bring all servers to the same version of the zone; with several signers let all publish the same records.
    """
    of = requests(view)
    if not asking(view):
        yield from without_request(view)
        return
    clean = True
    cds = [(one, one.cds) for one in of if one.knows_cds]
    cdnskey = [(one, one.cdnskey) for one in of if one.knows_cdnskey]
    for code, seen in (("cds-differ", cds), ("cdnskey-differ", cdnskey)):
        sets: dict[tuple[bytes, ...], list[Request]] = {}
        for one, rrset in seen:
            sets.setdefault(rrset.rdatas if rrset is not None else (), []).append(one)
        if len(sets) > 1:
            clean = False
            most = max(sets.values(), key=len)
            odd = [one.address for group in sets.values() if group is not most for one in group]
            yield outcome(code, shown(view, of), servers=labels(view, odd))
    if clean:
        yield outcome("agree", shown(view, of))


@check(
    "auto.cds-delete",
    properties=(SEC,),
    asked=_ASKS,
    codes={
        "asks": "{zone} asks its parent to remove the DS, so to make it unsigned.",
        "cds-incorrect": "{servers} {servers:has|have} a CDS record of {zone} with algorithm 0 that is not 0 0 0 00.",
        "cdnskey-incorrect": "{servers} {servers:has|have} a CDNSKEY record of {zone} with algorithm 0 that is not 0 3 "
        "0 AA==.",
        "cds-mixed": "{servers} {servers:has|have} CDS records of {zone} that ask for deletion beside others.",
        "cdnskey-mixed": "{servers} {servers:has|have} CDNSKEY records of {zone} that ask for deletion beside others.",
        "no-deletion": "{zone} does not ask for the removal of its DS.",
        **NO_REQUEST,
    },
)
def cds_delete(view: ZoneView) -> Iterator[Outcome]:
    """A request to remove the DS is made in the one form that there is for it.

    Why: a record that only resembles it may be taken for a request, or be ignored while the zone goes unsigned.
    Rule: error for a CDS or CDNSKEY with algorithm 0 that is not exactly 0 0 0 00 or 0 3 0 AA==, or that stands beside
        other records. A right one is a fact: the zone asks to become unsigned.
    Source: RFC 8078 section 4 with erratum 5049.
    Do: publish the one record alone, or none.
    """
    of = asking(view)
    if not of:
        yield from without_request(view)
        return
    found: dict[str, list[Request]] = {}
    for one in of:
        for kind, rrset, right in (("cds", one.cds, DELETE_CDS), ("cdnskey", one.cdnskey, DELETE_CDNSKEY)):
            rdatas = rrset.rdatas if rrset is not None else ()
            deletions = [octets for octets in rdatas if len(octets) > 3 and octets[2 if kind == "cds" else 3] == 0]
            if any(octets != right for octets in deletions):
                found.setdefault(f"{kind}-incorrect", []).append(one)
            elif deletions:
                found.setdefault(f"{kind}-mixed" if len(rdatas) > 1 else "asks", []).append(one)
    for code, at in sorted(found.items()):
        addresses = list(dict.fromkeys(one.address for one in at))
        yield outcome(code, shown(view, tuple(at)), servers=labels(view, addresses))
    if not found:
        yield not_applicable("no-deletion", shown(view, of))


@check(
    "auto.cds-pending",
    properties=(STA,),
    asked=(*_ASKS, "P2"),
    codes={
        "done": "The DS of {zone} is of the keys that its CDS or CDNSKEY records ask for.",
        "asks-change": "{zone} asks for a DS of {wanted}, and its parent has one of {present}.",
        "asks-removal": "{zone} asks for the removal of its DS, and its parent still has one of {present}.",
        "unreadable": "The CDS or CDNSKEY records of {zone} cannot be read (see hdr.wellformed).",
        "asks-first": "{zone} asks for its first DS, of {wanted} (see dnssec.ds-present).",
        "parent-no-answer": "No server of the parent of {zone} gave a usable answer about its DS.",
        **NO_REQUEST,
    },
)
def cds_pending(view: ZoneView) -> Iterator[Outcome]:
    """The parent has done what the CDS and CDNSKEY records ask for.

    Why: a rollover stands still as long as the parent does not follow, and whoever goes on breaks the zone.
    Rule: notice if the keys of the DS RRset, by tag and algorithm, are others than those asked for, or the removal is
        asked for and a DS is there. How long it has been so takes surveys at several times (after 7 days it is likely
        that the parent does not read these records). A first DS is dnssec.ds-present's matter.
    Source: RFC 7344 section 6; RFC 8078 section 4.
    Do: wait for the parent's next look; if it does not read these records, give it the DS as usual.
    """
    of = asking(view)
    if not of:
        yield from without_request(view)
        return
    exchanges = [*shown(view, of), *view.asked("P2")]
    if not view.is_root and view.undelegated is None and not view.ds_sets():
        yield unknown("parent-no-answer", exchanges)
        return
    first = of[0]
    wanted = _tags((ds.key_tag, ds.algorithm) for ds in wanted_ds(view, first))
    present = _tags((ds.key_tag, ds.algorithm) for ds in ds_records(view))
    if not wanted and not first.asks_deletion:
        yield unknown("unreadable", exchanges)
        return
    if not wanted:
        code = "asks-removal" if present else "done"
    else:
        code = "done" if wanted == present else "asks-change" if present else "asks-first"
    yield outcome(code, exchanges, wanted=wanted, present=present)


def _tags(of: Iterator[tuple[int, int]]) -> tuple[str, ...]:
    return tuple(f"{tag}/{algorithm}" for tag, algorithm in sorted(set(of)))


@check(
    "auto.cds-would-break",
    properties=(SEC, REL),
    asked=(*_ASKS, "Q4"),
    codes={
        "holds": "The DS that {zone} asks for would let validators in at every server with a DNSKEY.",
        "breaks": "The DS that {zone} asks for would shut validators out at {servers}: {detail}.",
        "signature-fails": "At {servers} the DNSKEY records have no valid signature by the key that {zone} asks a DS "
        "for: {detail} (see sig.dnskey).",
        "removal": "{zone} asks for the removal of its DS.",
        "not-checkable": "The DS that {zone} asks for has no algorithm and digest that can be checked.",
        "no-dnskey": "No server of {zone} has a DNSKEY (see auto.cds-matches-dnskey).",
        **NO_REQUEST,
    },
)
def cds_would_break(view: ZoneView) -> Iterator[Outcome]:
    """If the parent did what the zone asks for, the zone would still validate.

    Why: a parent acts on these records by itself; what they ask for is then the way into the zone.
    Rule: error for servers where, with the requested DS RRset in place, no DS would lead to a key that signs the DNSKEY
        RRset. Parents must refuse such a request. A signature that is there but not valid is sig.dnskey's finding.
    Source: RFC 7344 section 4.1.
    Do: publish CDS records only of keys that sign the DNSKEY RRset.
    """
    of = asking(view)
    if not of:
        yield from without_request(view)
        return
    ds = [
        one
        for one in wanted_ds(view, of[0])
        if one.algorithm in CHECKABLE_ALGORITHMS and one.digest_type in CHECKABLE_DIGESTS
    ]
    sets, exchanges = view.apex_rrset(DNSKEY), shown(view, of)
    if of[0].asks_deletion and not wanted_ds(view, of[0]):
        yield not_applicable("removal", exchanges)
    elif not ds or not sets:
        yield unknown("not-checkable" if sets else "no-dnskey", exchanges)
    else:
        validator = Validator(view.chain().now_s)
        steps = {address: enter(validator, view.zone, ds, rrset, ()) for address, rrset in sets.items()}
        closed = [address for address, step in steps.items() if step.status is ChainStatus.BOGUS]
        # The signature is there, so that the request is right and the signing wrong.
        failing = [address for address in closed if steps[address].reason.startswith("dnskey-")]
        exchanges += [x for address in sets for x in view.asked("Q4", address)]
        for code, state, at in (("breaks", outcome, set(closed) - {*failing}), ("signature-fails", unknown, failing)):
            if bad := [address for address in closed if address in at]:
                yield state(code, exchanges, servers=labels(view, bad), detail=steps[bad[0]].detail)
        if not closed:
            yield outcome("holds", exchanges)
