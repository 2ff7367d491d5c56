"""DNSSEC status of the zone: is it signed, do its parent and all its servers agree, does the chain of trust hold."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import NOERROR, NXDOMAIN
from gnomon.checks.chain import Chain, ChainStatus, ServerTrust
from gnomon.checks.entry import NO_DS, entry_known, has_entry, without_ds
from gnomon.checks.inventory import answers_at, sends_no_signatures
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.replies import (
    UNHEARD_EDNS,
    UNSIGNED,
    hear,
    labels,
    none_proper,
    says_no_keys,
    signed_servers,
    unheard,
    without_keys,
)
from gnomon.checks.requests import asking, wanted_ds
from gnomon.checks.requests import shown as requests_shown
from gnomon.checks.view import ZoneView
from gnomon.wire import RRset, rdata


@check(
    "dnssec.signed",
    properties=(SEC,),
    asked=("Q4", "P2"),
    codes={
        "signed": "{zone} is signed and its parent vouches for its keys.",
        "island": "{zone} has DNSKEYs but no DS (see dnssec.ds-present).",
        "unsigned": "{zone} is not signed: {servers} {servers:answers|answer} without a DNSKEY.",
        "ds-without-dnskey": "{zone} has a DS but no server with a DNSKEY (see dnssec.ds-without-dnskey).",
        "parent-no-answer": "{zone} has DNSKEYs; whether its parent has a DS is not known.",
        **UNHEARD_EDNS,
    },
)
def signed(view: ZoneView) -> Iterator[Outcome]:
    """The zone is signed and its parent vouches for its keys.

    Why: answers of an unsigned zone can be forged on the way, and nobody can tell.
    Rule: pass with DNSKEY and DS; without DNSKEY warning for a top-level or critical zone and notice for any other
        (KINDNS asks both to sign). Keys without a DS, and a DS without keys, are other checks' findings.
    Source: RFC 9364 (BCP 237); RFC 4033; KINDNS practices 1; gTLD registry agreement Specification 6 section 1.3.
    Do: sign the zone, and give the DS to the parent.
    """
    heard = hear(view, "Q4")
    keyed = signed_servers(view)
    shown = [*heard.shown, *view.asked("P2")]
    if keyed and has_entry(view):
        yield outcome("signed", shown)
    elif keyed and entry_known(view):
        yield outcome("island", shown)
    elif keyed:
        yield unknown("parent-no-answer", shown)
    elif not (bare := [a.address for a in heard.answers if says_no_keys(a)]):
        yield from without_keys(view)
    elif has_entry(view):
        yield unknown("ds-without-dnskey", shown)
    else:
        yield outcome("unsigned", shown, servers=labels(view, bare))


@check(
    "dnssec.ds-present",
    properties=(SEC,),
    asked=("P2", "Q4", "Q8", "Q8K"),
    codes={
        "present": "{zone} is signed, and its parent has a DS for it.",
        "present-partly-signed": "The parent of {zone} has a DS for it; not all servers are signed.",
        "present-at-some": "Only some servers of the parent have a DS for {zone} (see dnssec.ds-consistent).",
        "island": "{zone} is signed, but its parent has no DS: validators treat it as unsigned.",
        "island-asks": "{zone} is signed without a DS at its parent, and asks for one with CDS or CDNSKEY records "
        "({servers}).",
        "island-wanted": "{zone} is signed without a DS at its parent, and asks with CDS or CDNSKEY records that it "
        "stay so ({servers}).",
        "island-partly-signed": "{zone} has no DS, and not all servers are signed (see dnssec.servers-agree-signed).",
        **{code: NO_DS[code] for code in ("root", "given", "parent-no-answer")},
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def ds_present(view: ZoneView) -> Iterator[Outcome]:
    """A signed zone has a DS at its parent.

    Why: without it the signatures protect nobody, while they cost as much as if they did.
    Rule: warning if the servers have a DNSKEY and the parent no DS; notice if the zone publishes CDS or CDNSKEY
        records, so that it waits only for its parent, or wants no DS. Where servers disagree on DNSKEY or parent
        servers on DS, other checks say so.
    Source: RFC 4035 section 2.4; RFC 7344 section 4.1; RFC 8078 section 4.
    Do: give the DS to the registry, or publish CDS records if the registry reads them.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard, asked = hear(view, "Q4"), view.asked("P2")
    shown = [*asked, *(a.exchange for a in heard.answers)]
    partly = any(says_no_keys(a) for a in heard.answers)
    if view.ds() is None:
        if view.is_root or view.undelegated is not None or not entry_known(view):
            yield from without_ds(view)
            return
        of = asking(view)
        servers = labels(view, [one.address for one in of])
        if partly:
            yield unknown("island-partly-signed", shown)
        else:
            wants = any(wanted_ds(view, one) for one in of)
            keeps = any(one.asks_deletion for one in of)
            code = "island-asks" if wants else "island-wanted" if keeps else "island"
            yield outcome(code, shown, requests_shown(view, of) if of else (), servers=servers)
    elif view.undelegated is None and None in view.ds_sets().values():
        yield unknown("present-at-some", shown)
    else:
        yield outcome("present-partly-signed" if partly else "present", shown)


@check(
    "dnssec.ds-without-dnskey",
    properties=(REL, SEC),
    asked=("P2", "Q4"),
    codes={
        "all-have-keys": "Every server of {zone} that answered has a DNSKEY.",
        "no-server": "{zone} has a DS, but no server has a DNSKEY ({servers}): validators reject every answer.",
        "some-servers": "{zone} has a DS, but {servers} {servers:has|have} no DNSKEY: validators reject "
        "{servers:its|their} answers.",
        **NO_DS,
        **UNHEARD_EDNS,
    },
)
def ds_without_dnskey(view: ZoneView) -> Iterator[Outcome]:
    """A zone with a DS has a DNSKEY at every server.

    Why: the DS tells every validator that the zone must be signed, so an answer without keys is rejected.
    Rule: critical if no server that answers has a DNSKEY; error if some have none.
    Source: RFC 4035 section 5.
    Do: have the parent remove the DS at once, or sign the zone at every server.
    """
    if not has_entry(view):
        yield from without_ds(view)
        return
    heard = hear(view, "Q4")
    bare, keyed = [a for a in heard.answers if says_no_keys(a)], signed_servers(view)
    if bare:
        code = "some-servers" if keyed else "no-server"
        servers = labels(view, [a.address for a in bare])
        yield outcome(code, view.asked("P2"), shown_by(bare), servers=servers)
    elif keyed:
        yield outcome("all-have-keys", heard.shown)
    yield from (unheard if bare or keyed else none_proper)(view, heard, "Q4")


@check(
    "dnssec.chain-validates",
    properties=(SEC, REL),
    asked=("C1", "C2", "P2", "Q4", "Q2", "Q3", "Q5", "Q6"),
    version=3,
    codes={
        "secure": "The chain of trust reaches {zone} at {servers}.",
        "insecure": "No chain of trust leads to {zone}: {detail}.",
        "bogus": "Validators reject {zone} at every server: {detail}.",
        "bogus-above": "Validators reject {zone}, for its chain of trust breaks at {at}: {detail}.",
        "bogus-at-some": "Validators reject the answers of {servers}: {detail}.",
        "bogus-at-parent": "Validators that ask {servers} of the parent for the DS of {zone} reject it: {detail}.",
        "indeterminate": "Whether {zone} validates could not be told: {detail}.",
        **UNHEARD_EDNS,
    },
)
def chain_validates(view: ZoneView) -> Iterator[Outcome]:
    """The chain of trust holds from the root's trust anchors to the SOA, NS and negative answers of every server.

    Why: where it breaks, the zone is gone for everyone behind a validating resolver.
    Rule: critical if bogus at every server that could be followed, or because of a link above; error for servers of
        the zone at which it is bogus while another is secure, and for servers of the parent whose answer about the DS
        is while another's is not. Insecure is no fault here (dnssec.signed says it). This is the
        consequence; the checks ds.*, sig.* and denial.* name its cause. A parent that is secure and answers without a
        DS and without a valid NSEC or NSEC3 makes its child bogus (RFC 4035 section 4.3: missing data that should be
        present); a parent without a usable answer leaves it indeterminate. A revoked key vouches for nothing.
    Source: RFC 4035 sections 4.3 and 5; RFC 5011 section 2.1; gTLD registry agreement Specification 10;
        RSSAC047 section 5.3.
    Do: correct the DS, the keys or the signatures that the other findings name; if that takes time, have the parent
        remove the DS.
    """
    chain, broken = view.chain(), view.chain().broken_above
    shown = [x for link in chain.links for x in link.exchanges]
    for detail, odd in chain.links[-1].rejected if chain.links else ():
        servers = tuple(dict.fromkeys(str(x.address) for x in odd))
        yield outcome("bogus-at-parent", odd, servers=servers, detail=detail)
    if broken is not None and broken.status is ChainStatus.BOGUS:
        yield outcome("bogus-above", broken.exchanges, at=f"{broken.rtype} {broken.zone}", detail=chain.detail)
    elif chain.status is ChainStatus.INSECURE:
        yield outcome("insecure", shown, detail=chain.detail)
    elif chain.status is ChainStatus.INDETERMINATE:
        shown += [x for server in chain.servers.values() for x in server.exchanges]
        yield unknown("indeterminate", shown, detail=chain.detail)
    elif chain.status is ChainStatus.BOGUS:
        at = [x for server in _ended(chain, ChainStatus.BOGUS) for x in server.exchanges]
        yield outcome("bogus", shown, at, detail=chain.detail)
    else:
        bogus, secure = _ended(chain, ChainStatus.BOGUS), _ended(chain, ChainStatus.SECURE)
        for detail in dict.fromkeys(server.detail for server in bogus):
            same = [server for server in bogus if server.detail == detail]
            at = [x for server in same for x in server.exchanges]
            servers = labels(view, [server.address for server in same])
            yield outcome("bogus-at-some", at, servers=servers, detail=detail)
        if not bogus:
            shown += [x for server in secure for x in server.exchanges]
            yield outcome("secure", shown, servers=labels(view, [server.address for server in secure]))
        yield from unheard(view, hear(view, "Q4"), "Q4")


def _ended(chain: Chain, status: ChainStatus) -> list[ServerTrust]:
    return [server for server in chain.servers.values() if server.status is status]


@check(
    "dnssec.servers-agree-signed",
    properties=(SEC, STA),
    asked=("Q4",),
    codes={
        "all-signed": "All servers of {zone} that gave a proper answer have a DNSKEY.",
        "all-unsigned": "All servers of {zone} that gave a proper answer have no DNSKEY.",
        "some-unsigned": "{zone} is signed, but {servers} {servers:serves|serve} it without a DNSKEY.",
        "some-unsigned-with-ds": "{servers} {servers:serves|serve} {zone} without a DNSKEY (see "
        "dnssec.ds-without-dnskey).",
        "unexpected-rcode": "{server} serves {zone} but answers {rcode} when asked for its DNSKEY.",
        "not-authoritative": "{server} serves {zone} but answers without authority when asked for its DNSKEY.",
        "dnskey-dropped": "{server} serves {zone} but does not answer when asked for its DNSKEY.",
        **UNHEARD_EDNS,
    },
)
def servers_agree_signed(view: ZoneView) -> Iterator[Outcome]:
    """All servers agree whether the zone is signed.

    Why: a validator that meets the odd server gets an answer that it cannot check.
    Rule: error if some servers give a DNSKEY and others none; with a DS that is dnssec.ds-without-dnskey's finding.
        Warning for a server that serves the zone but gives no proper answer to the DNSKEY question: another rcode,
        no authority, or silence.
    Source: RFC 4035 section 3.1.
    Do: bring the odd servers to the same, signed version of the zone.
    """
    heard = hear(view, "Q4")
    odd = [a for a in heard.answers if a.message.rcode not in (NOERROR, NXDOMAIN) or not a.message.aa]
    for answer in odd:
        rcode, server = answer.message.rcode, view.server_label(answer.address)
        code = "not-authoritative" if rcode == NOERROR else "unexpected-rcode"
        yield outcome(code, answer.exchange, subject=server, server=server, rcode=str(rcode))
    dropped = [a for a in heard.missing.get("no-answer", ()) if _drops_dnskey(view, a)]
    for address in dropped:
        server = view.server_label(address)
        yield outcome("dnskey-dropped", view.asked("Q4", address), subject=server, server=server)
    shown = heard.shown
    bare = labels(view, [a.address for a in heard.answers if says_no_keys(a)])
    keyed = signed_servers(view)
    if keyed and bare:
        code, state = ("some-unsigned-with-ds", unknown) if has_entry(view) else ("some-unsigned", outcome)
        yield state(code, shown, servers=bare)
    elif keyed or bare:
        yield outcome("all-signed" if keyed else "all-unsigned", shown)
    yield from (unheard if keyed or bare or odd else none_proper)(view, heard.but(dropped), "Q4")


def _drops_dnskey(view: ZoneView, address: Address) -> bool:
    """Silence to the DNSKEY question alone, from a server that answers others with EDNS."""
    return view.answer("Q4", address) is None and view.answer("Q2", address) is not None


@check(
    "dnssec.dnssec-aware",
    properties=(SEC, IOP),
    asked=("Q2", "Q3", "Q4", "Q5", "Q6"),
    codes={
        "aware": "Every server with a DNSKEY of {zone} sends signatures when asked to.",
        "no-signatures": "{servers} {servers:has|have} a DNSKEY of {zone} but {servers:sends|send} no signature with "
        "any answer.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def dnssec_aware(view: ZoneView) -> Iterator[Outcome]:
    """Servers of a signed zone send signatures to those who ask for them.

    Why: a validator behind such a server sees a signed zone without signatures and rejects it.
    Rule: error for servers that have a DNSKEY and send no RRSIG with any answer though DO was set. Where only some
        RRsets lack signatures, sig.* says so; where EDNS is ignored altogether, edns.support does.
    Source: RFC 4035 section 3.1; RFC 3225 section 3.
    Do: replace or configure the server so that it serves DNSSEC, and load the signed zone.
    """
    signed_at = signed_servers(view)
    if not signed_at:
        yield from without_keys(view)
        return
    inventory = view.chain().inventory
    heard = hear(view, "Q4", edns=True)
    judged = [a.address for a in heard.answers if a.address in signed_at]
    silent = [address for address in judged if sends_no_signatures(inventory, address)]
    if silent:
        shown = [signed.answer.exchange for address in silent for signed in answers_at(inventory, address)]
        yield outcome("no-signatures", shown, servers=labels(view, silent))
    if judged and not silent:
        yield outcome("aware", heard.shown)
    yield from unheard(view, heard, "Q4")


@check(
    "dnssec.ds-consistent",
    properties=(SEC, STA),
    asked=("P2",),
    codes={
        "same": "The parent's servers that answered have the same DS for {zone}.",
        "same-none": "The parent's servers that answered have no DS for {zone}.",
        "differ": "The parent's servers have different DS for {zone}: {sets}.",
        "missing-at-some": "{servers} of the parent {servers:has|have} no DS for {zone}, others have one.",
        "no-answer": "{servers} of the parent gave no usable answer about the DS of {zone}.",
        "not-asked": "No server of the parent of {zone} was asked for its DS.",
        "root": NO_DS["root"],
        "given": "The DS of {zone} was given by hand.",
        "given-without-ds": NO_DS["given"],
    },
)
def ds_consistent(view: ZoneView) -> Iterator[Outcome]:
    """All servers of the parent have the same DS for the zone.

    Why: whether the zone validates must not depend on which server a resolver meets.
    Rule: error if DS RRsets differ, or some servers have one and others none. A moment in which the parent's servers
        are being updated looks the same; repeat the assessment before acting.
    Source: RFC 4035 section 2.4.
    Do: tell the parent's operator which of its servers are behind.
    """
    if view.undelegated is not None:
        yield not_applicable("given" if view.ds() else "given-without-ds")
        return
    if view.is_root:
        yield not_applicable("root")
        return
    sets = view.ds_sets()
    silent = tuple(dict.fromkeys(x.address for x in view.asked("P2") if x.address not in sets))
    shown = [a.exchange for a in view.answers("P2") if a.address in sets]
    lacking = [address for address, rrset in sets.items() if rrset is None]
    contents = {rrset.rdatas for rrset in sets.values() if rrset is not None}
    if len(contents) > 1:
        texts = tuple(f"{address} has {_tags(rrset)}" for address, rrset in sets.items() if rrset is not None)
        yield outcome("differ", shown, sets=texts)
    if contents and lacking:
        yield outcome("missing-at-some", shown, servers=tuple(map(str, lacking)))
    elif len(contents) == 1:
        yield outcome("same", shown)
    elif sets and not contents:
        yield outcome("same-none", shown)
    if silent:
        asked = [x for address in silent for x in view.asked("P2", address)]
        yield unknown("no-answer", asked, servers=tuple(map(str, silent)))
    elif not sets:
        yield unknown("not-asked")


def _tags(rrset: RRset) -> str:
    return " and ".join(f"{ds.key_tag} {ds.digest[:4].hex()}.." for ds in read_all(rdata.ds, rrset.rdatas))
