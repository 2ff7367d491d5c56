"""Aliases: CNAME and DNAME records, and where they lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gnomon.base import Name, RRType
from gnomon.base.codes import CNAME, DNAME, NSEC, NXDOMAIN, RRSIG, SOA
from gnomon.checks.aliases import is_below, substituted
from gnomon.checks.observed import Answer
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import name_order, read
from gnomon.checks.registry import IOP, REL, check
from gnomon.checks.sent import sent, with_authority
from gnomon.checks.view import ZoneView
from gnomon.wire import Record, rdata

_BESIDE = frozenset({int(CNAME), int(RRSIG), int(NSEC), 25})  # 25: KEY (RFC 2181 section 10.1, RFC 4034 section 3)
_LONG, _TOO_LONG = 8, 11


def _has_any(view: ZoneView, rtype: int) -> bool:
    """Whether a record of that type is in an answer about the zone."""
    return any(record.rtype == rtype for record in sent(view).about_zone[0])


@check(
    "syn.cname-alone",
    properties=(IOP,),
    asked=("Q1", "Q3", "Q4", "Q5", "Q6", "Q9", "Z1A", "Z1M", "Z1T", "Z2"),
    codes={
        "alone": "Aliases of {zone} have no other records.",
        "with-others": "{name} is an alias and has {types} records as well.",
        "several": "{name} is an alias of {count} names.",
        "at-apex": "{zone} itself is an alias, of {target}.",
        "none": "No name of {zone} that was asked for is an alias.",
        "no-answer": "No server of {zone} answered with authority.",
    },
)
def cname_alone(view: ZoneView) -> Iterator[Outcome]:
    """A name that is an alias has nothing else.

    Why: what a resolver finds then depends on what it asked first; at the apex an alias hides SOA and NS, and the zone
        with them.
    Rule: error for a name with a CNAME and other records but RRSIG, NSEC and KEY, for one with several CNAME records,
        and for a CNAME at the apex.
    Source: RFC 1034 section 3.6.2; RFC 2181 sections 10.1 and 10.3; RFC 4034 section 3.
    Do: remove the CNAME, or everything else of that name.
    """
    answers, faults = with_authority(view), 0
    types, targets, shown = dict[Name, set[int]](), dict[Name, set[bytes]](), dict[Name, list[Answer]]()
    for answer in answers if _has_any(view, CNAME) else ():
        for record in answer.message.answer:
            types.setdefault(record.owner, set()).add(int(record.rtype))
            shown.setdefault(record.owner, []).append(answer)
            if record.rtype == CNAME:
                targets.setdefault(record.owner, set()).add(record.rdata.lower())
    for name in sorted(targets, key=name_order):
        others = sorted(types[name] - _BESIDE)
        facts = [("several", len(targets[name]) > 1), ("at-apex", name == view.zone), ("with-others", bool(others))]
        exchanges = dict.fromkeys(answer.exchange for answer in shown[name])
        for code in [code for code, is_so in facts if is_so]:
            faults += 1
            count, words = len(targets[name]), tuple(str(RRType(rtype)) for rtype in others)
            target = str(read(rdata.ns, min(targets[name])))
            about = str(name)
            yield outcome(code, exchanges, subject=about, name=about, types=words, count=count, target=target)
    if not answers:
        yield unknown("no-answer", view.asked("Q1"))
    elif not targets:
        yield not_applicable("none")
    elif not faults:
        yield outcome("alone", dict.fromkeys(a.exchange for name in targets for a in shown[name]))


@check(
    "syn.cname-chain",
    properties=(REL, IOP),
    asked=("Q9", "Z1A", "Z2", "H1", "H2", "H5", "H8"),
    version=2,
    codes={
        "short": "The aliases that {zone} leads to end after {count} {count:step|steps} at most.",
        "long": "{name} is an alias over {count} steps; some resolvers give up.",
        "too-long": "{name} is an alias over {count} steps; most resolvers give up.",
        "loop": "{name} is an alias that comes back to {target}.",
        "broken": "{name} is an alias of {target}, which does not exist.",
        "none": "No name that {zone} leads to is an alias.",
    },
)
def cname_chain(view: ZoneView) -> Iterator[Outcome]:
    """Aliases lead somewhere, and soon.

    Why: each step costs a question or more, and resolvers follow only so many; a circle or a dead end is no answer.
    Rule: over the names that were asked for (www, name servers, mail hosts, policies): error for a circle, for an end
        that is denied with NXDOMAIN (not behind a DNAME, which makes an alias of every name), and for 11 steps and
        more, where BIND and Unbound give up (PowerDNS after 10); warning for more than 8. A name that a survey did not
        go on to ask is not counted as an end.
    Source: RFC 1034 section 3.6.2; RFC 2181 section 10.1; resolvers' own limits.
    Do: point the first alias at the last name.
    """
    links, made, denied, shown = _links(view)
    most, faults = 0, 0
    for name in sorted(_starts(links), key=name_order):
        steps = [name]
        while steps[-1] in links and links[steps[-1]] not in steps:
            steps.append(links[steps[-1]])
        end, count = steps[-1], len(steps) - 1
        most = max(most, count)
        code = "loop" if end in links else "broken" if end in denied and steps[-2] not in made else _length(count)
        if code:
            faults += 1
            exchanges = dict.fromkeys(a.exchange for step in steps for a in shown.get(step, ()))
            target = str(links.get(end, end))
            yield outcome(code, exchanges, subject=str(name), name=str(name), count=count, target=target)
    if not links:
        yield not_applicable("none")
    elif not faults:
        yield outcome("short", dict.fromkeys(a.exchange for of in shown.values() for a in of), count=most)


def _starts(links: Mapping[Name, Name]) -> list[Name]:
    """The aliases that no other leads to, and those of circles that none leads into."""
    targets, reached = set(links.values()), set[Name]()
    starts = [name for name in links if name not in targets]
    for start in starts:
        name = start
        while name in links and name not in reached:
            reached.add(name)
            name = links[name]
    return starts + [name for name in links if name not in reached]


def _length(count: int) -> str:
    return "too-long" if count >= _TOO_LONG else "long" if count > _LONG else ""


def _links(view: ZoneView) -> tuple[dict[Name, Name], set[Name], set[Name], dict[Name, list[Answer]]]:
    """Every alias seen with its target, those that a DNAME made, the names denied, and the answers that show it."""
    elsewhere = [a for ask in ("H1", "H2", "H5", "H8") for a in view.answers(ask) if a.message.aa]
    links, shown, made, denied = dict[Name, Name](), dict[Name, list[Answer]](), set[Name](), set[Name]()
    has_any = _has_any(view, CNAME) or any(r.rtype == CNAME for answer in elsewhere for r in answer.message.answer)
    for answer in (*with_authority(view), *elsewhere) if has_any else ():
        end, above = answer.qname, [record.owner for record in answer.message.answer if record.rtype == DNAME]
        for record in answer.message.answer:
            target = read(rdata.ns, record.rdata) if record.rtype == CNAME else None
            if target is not None:
                links.setdefault(record.owner, target)
                shown.setdefault(record.owner, []).append(answer)
                made.update([record.owner] if any(is_below(record.owner, name) for name in above) else ())
        for _ in answer.message.answer:
            end = links.get(end, end) if end is not None else None
        soas = [record.owner for record in answer.message.authority if record.rtype == SOA]
        # The rcode is about the last name of the chain (RFC 6604 section 3), as far as the server speaks for it.
        if end is not None and answer.message.rcode == NXDOMAIN and any(end.is_subdomain_of(soa) for soa in soas):
            denied.add(end)
            shown.setdefault(end, []).append(answer)
    return links, made, denied, shown


@check(
    "syn.dname",
    properties=(IOP,),
    asked=("Q5", "Q9", "Z2"),
    codes={
        "right": "Servers of {zone} follow its DNAME records as they should.",
        "no-cname": "{server} answers for {name} with a DNAME record and no CNAME made of it.",
        "wrong-target": "{server} makes a CNAME to {target} of the DNAME record for {name}; {due} is due.",
        "ttl-differs": "{server} gives the CNAME made of a DNAME record for {name} the TTL {ttl}; {due} is due.",
        "ttl-zero": "{server} gives the CNAME made of a DNAME record for {name} the TTL 0.",
        "none": "No answer of the servers of {zone} has a DNAME record.",
    },
)
def dname(view: ZoneView) -> Iterator[Outcome]:
    """A DNAME record comes with the CNAME that it stands for.

    Why: resolvers that do not know DNAME follow the CNAME; with a wrong one they end elsewhere than the others.
    Rule: error for an answer with a DNAME above the name asked for and no CNAME of that name, or one with another
        target than the DNAME gives; warning if its TTL is 0, as the old standard had it, or not the DNAME's. A target
        that would be too long has no CNAME.
    Source: RFC 6672 sections 2.2 and 3.1.
    Do: update the server.
    """
    seen, told_of = list[Answer](), set[tuple[str, str]]()
    for answer in with_authority(view) if _has_any(view, DNAME) else ():
        for record in answer.message.answer:
            if record.rtype != DNAME or answer.qname is None or not is_below(answer.qname, record.owner):
                continue
            seen.append(answer)
            code, facts = _dname_fault(answer, answer.qname, record)
            server = view.server_label(answer.address)
            if code and (server, code) not in told_of:
                told_of.add((server, code))
                yield outcome(code, answer.exchange, subject=server, server=server, **facts)
    if not seen:
        yield not_applicable("none")
    elif not told_of:
        yield outcome("right", dict.fromkeys(answer.exchange for answer in seen))


def _dname_fault(answer: Answer, qname: Name, record: Record) -> tuple[str, dict[str, str | int]]:
    """The outcome's code for one DNAME record in an answer, empty if it is well, and the facts."""
    target = read(rdata.ns, record.rdata)
    made = next((r for r in answer.message.answer if r.rtype == CNAME and r.owner == qname), None)
    due = substituted(qname, record.owner, target) if target else None
    if due is None:
        return "", {}
    if made is None:
        return "no-cname", {"name": str(qname)}
    got = read(rdata.ns, made.rdata)
    if got != due:
        return "wrong-target", {"name": str(qname), "target": str(got), "due": str(due)}
    if made.ttl_s != record.ttl_s:
        code = "ttl-differs" if made.ttl_s else "ttl-zero"
        return code, {"name": str(qname), "ttl": made.ttl_s, "due": record.ttl_s}
    return "", {}
