"""What servers say of names that do not exist, of names in between, and of names that are not theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gnomon.base import ROOT, Address, Name, RRType
from gnomon.base.codes import DNAME, NOERROR, NS, NXDOMAIN, RRSIG, SOA
from gnomon.checks.observed import Answer, asked_in, is_silent
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.registry import IOP, REL, SEC, STA, check
from gnomon.checks.replies import UNHEARD, UNHEARD_EDNS, Finding, finding, hear, labels, losing, probe, told, unheard
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange

_INVALID = Name.from_text("invalid.")


@check(
    "resp.nxdomain-honest",
    properties=(SEC, STA),
    asked=("Q5", "Q5N"),
    codes={
        "denied": "Servers of {zone} deny a name that nobody has.",
        "answered": "{zone} has an answer for names that nobody has: {records} for {name}.",
        "redirected": "{zone} answers for names that nobody has with a DNAME record.",
        "delegated": "{zone} delegates names that nobody has: {name}.",
        "error": "{server} answers {rcode} for a name that nobody has.",
        **UNHEARD_EDNS,
    },
)
def nxdomain_honest(view: ZoneView) -> Iterator[Outcome]:
    """A name that nobody registered does not exist.

    Why: a registry that answers for every name takes visitors and mail of mistyped ones to itself, and breaks what
        relies on a denial; in a zone of one owner a wildcard is the owner's choice.
    Rule: the name is 16 random characters (80 bits), so that one name is enough. At the root and at top-level domains
        error for records or a delegation; elsewhere information. Wildcards of several types are no worse than of one.
        A denial is NXDOMAIN, or NOERROR without records (compact denial). Notice for any other rcode.
    Source: RFC 4592; gTLD registry agreement, specification 6, section 2.2; SAC 015; SAC 032.
    Do: remove the wildcard from a registry's zone.
    """
    heard = hear(view, "Q5")
    findings, denied, given = list[Finding](), list[Answer](), list[Answer]()
    for answer in heard.answers:
        message, rcode = answer.message, answer.message.rcode
        if rcode not in (NOERROR, NXDOMAIN):
            findings.append(finding("error", answer.address, answer, rcode=str(rcode)))
        elif message.answer or _is_delegated(answer):
            given.append(answer)
        else:
            denied.append(answer)
    groups: dict[str, list[Answer]] = {}
    for answer in given:
        given_types = {record.rtype for record in answer.message.answer}
        code = "delegated" if not given_types else "redirected" if DNAME in given_types else "answered"
        groups.setdefault(code, []).append(answer)
    for code, answers in sorted(groups.items()):
        first = answers[0]
        types = sorted({int(r.rtype) for a in answers for r in a.message.answer} - {int(RRSIG)})
        records = tuple(str(RRType(rtype)) for rtype in types)
        yield outcome(code, shown_by(answers), records=records, name=str(first.qname))
    yield from told(view, findings, "", ())
    if denied and not findings and not groups:
        yield outcome("denied", shown_by(denied))
    yield from unheard(view, heard, "Q5")


def _is_delegated(answer: Answer) -> bool:
    return not answer.message.aa and any(r.rtype == NS and r.owner == answer.qname for r in answer.message.authority)


def _between(view: ZoneView) -> Mapping[tuple[Address, Name], tuple[Exchange, ...]]:
    """What was sent to each server about each name between the zone and a name in it."""
    found: dict[tuple[Address, Name], list[Exchange]] = {}
    for x in view.asked("Q9M"):
        asked = asked_in(x.query)
        if asked is not None:
            found.setdefault((x.address, asked[0]), []).append(x)
    return {key: tuple(of) for key, of in found.items()}


@check(
    "resp.ent",
    properties=(REL, IOP),
    asked=("Q9M",),
    codes={
        "exists": "Names of {zone} that have others below them exist.",
        "denied": "{server} denies {name}, though there are names below it.",
        "depends-on-type": "{server} denies {name} for one type ({types}) and not for another.",
        "no-names": "No known name of {zone} has another between itself and the zone.",
        "no-answer": "No server of {zone} answered for the names between the zone and names in it.",
    },
)
def empty_non_terminal(view: ZoneView) -> Iterator[Outcome]:
    """A name with others below it exists, even if it has no records itself.

    Why: resolvers take NXDOMAIN for a name as a denial of all below it, and ask no more for those.
    Rule: the names between the zone and its name servers' names inside it are asked for, A and NS. Error for NXDOMAIN,
        and where the rcode depends on the type. A denial is only believed of a server that serves the zone.
    Source: RFC 8020 section 2; RFC 4592 section 2.2.2; RFC 9156 section 4.
    Do: update the server: it must answer NOERROR without records.
    """
    asked = _between(view)
    if not asked:
        yield not_applicable("no-names")
        return
    findings, heard = list[Finding](), list[Answer]()
    for address, name in asked:
        answers = [a for a in view.answers_at("Q9M", address) if a.qname == name]
        heard += answers
        denied = [answer for answer in answers if answer.message.rcode == NXDOMAIN]
        if denied:
            code = "depends-on-type" if any(a.message.rcode == NOERROR for a in answers) else "denied"
            types = tuple(str(answer.qtype) for answer in denied)
            findings.append(finding(code, address, *answers, name=str(name), types=types))
    yield from told(view, findings, "exists", shown_by(heard))
    if not heard:
        yield unknown("no-answer", view.asked("Q9M"))


@check(
    "resp.qname-min",
    properties=(IOP,),
    asked=("Q9M",),
    version=2,
    codes={
        "works": "Resolvers that ask label by label find their way through {zone}.",
        "dropped": "{server} does not answer for {name}, on the way to names that it has.",
        "fails": "{server} answers {rcode} for {name}, on the way to names that it has.",
        "no-names": "No known name of {zone} has another between itself and the zone.",
    },
)
def qname_min(view: ZoneView) -> Iterator[Outcome]:
    """Resolvers that ask label by label get through to every name.

    Why: most resolvers ask for one label more at a time, to tell each server no more than it needs; a server that
        fails on the names in between is slow or out of reach for them.
    Rule: error if the A or NS question for a name between the zone and a name server's name inside it is dropped or
        gets another rcode than NOERROR, from a server that answers other questions. NXDOMAIN is told by resp.ent.
    Source: RFC 9156 sections 2.3 and 5.
    Do: update the server or load balancer: the right answer is NOERROR without records.
    """
    asked = _between(view)
    if not asked:
        yield not_applicable("no-names")
        return
    findings, good = list[Finding](), list[Answer]()
    for (address, name), attempts in asked.items():
        answers = [a for a in view.answers_at("Q9M", address) if a.qname == name]
        failed = [a for a in answers if a.message.rcode not in (NOERROR, NXDOMAIN)]
        asked_types, types = {asked_in(x.query) for x in attempts}, {(a.qname, a.qtype) for a in answers}
        if failed:
            facts = {"name": str(name), "rcode": str(failed[0].message.rcode)}
            findings.append(finding("fails", address, *failed, **facts))
        elif len(types) < len(asked_types) and any(map(is_silent, attempts)) and address not in losing(view):
            findings.append(Finding("dropped", address, attempts, {"name": str(name)}))
        else:
            good += answers
    yield from told(view, findings, "", ())
    if not findings:
        yield outcome("works", shown_by(good))


@check(
    "resp.out-of-zone",
    version=2,
    properties=(SEC, IOP),
    asked=("S10", "S11"),
    codes={
        "refused": "No server of {zone} that was heard claims authority for what is not its own.",
        "denies": "{server} denies {name} with authority, a name that it has nothing to do with.",
        "reserved": "{servers} {servers:denies|deny} names below {domain} by {servers:itself|themselves}.",
        "empty": "{server} answers with authority, and without records, for {name}, which it has nothing to do with.",
        "answered": "{server} answers with authority for {name}, which it has nothing to do with: {records}.",
        "root-server": "Not judged at {servers}: they serve the root, and so every name.",
        **UNHEARD,
    },
)
def out_of_zone(view: ZoneView) -> Iterator[Outcome]:
    """Servers claim no authority for names that are not theirs.

    Why: a server that denies or answers everything turns a wrong delegation, harmless with REFUSED, into a wrong
        answer that resolvers believe.
    Rule: a name that the server has nothing to do with is asked for, and the NS records of the root. Warning for an
        answer with AA, whether it denies, is empty or has records. The name is below invalid, which servers may deny
        by themselves, with a SOA record of that name. A server that gives the root's NS records with authority serves
        the root, or pretends to, and is left out.
    Source: RFC 2181 section 6.1; RFC 1034 section 4.3.2; RFC 8906 section 3; RFC 6761 section 6.4.
    Do: let the server answer REFUSED for what it does not serve.
    """
    probed = probe(view, "S10", alive="Q1")
    findings, roots, reserved = list[Finding](), list[Address](), list[Answer]()
    for answer in probed.answers:
        message, root = answer.message, view.answer("S11", answer.address)
        if root is not None and _serves_root(root):
            roots.append(answer.address)
        elif (
            message.aa
            and message.rcode == NXDOMAIN
            and any(r.rtype == SOA and r.owner == _INVALID for r in message.authority)
        ):
            reserved.append(answer)
        elif message.aa and message.rcode in (NOERROR, NXDOMAIN):
            code = "denies" if message.rcode == NXDOMAIN else "answered" if message.answer else "empty"
            records = tuple(dict.fromkeys(f"{r.rtype} {r.owner}" for r in message.answer))
            findings.append(finding(code, answer.address, answer, name=str(answer.qname), records=records))
    judged = [answer for answer in probed.answers if answer.address not in roots and answer not in reserved]
    yield from told(view, findings, "refused", shown_by(judged))
    if reserved:
        servers = labels(view, [answer.address for answer in reserved])
        yield outcome("reserved", shown_by(reserved), servers=servers, domain=str(_INVALID))
    if roots:
        shown = [x for address in roots for x in view.asked("S11", address)]
        yield not_applicable("root-server", shown, servers=tuple(map(view.server_label, roots)))
    if probed.dropped and not probed.answers:
        shown = [x for address in probed.dropped for x in view.asked("S10", address)]
        yield unknown("no-answer", shown, servers=tuple(map(view.server_label, probed.dropped)))
    yield from unheard(view, probed.heard, "S10")


def _serves_root(answer: Answer) -> bool:
    message = answer.message
    return message.aa and any(record.rtype == NS and record.owner == ROOT for record in message.answer)
