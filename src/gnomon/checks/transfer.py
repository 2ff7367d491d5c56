"""Ways to get all names of a zone: incremental transfers, walking the denials, catalog zones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gnomon.base import Address
from gnomon.base.codes import NOERROR, NSEC, NSEC3, PTR, SOA, TXT
from gnomon.checks.observed import Answer, is_answered
from gnomon.checks.outcome import Outcome, not_applicable, outcome, shown_by, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import SEC, check
from gnomon.checks.replies import UNHEARD, UNHEARD_EDNS, has_authority, hear, labels, none_proper, probe, unheard
from gnomon.checks.spans import is_made, is_made_hashed
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import Message, rdata

_OTHER_ZONE = {
    "other-zone": "Not judged at {servers}: {servers:it was|they were} asked to transfer another zone that "
    "{servers:it serves|they serve}."
}
_NO_ALIVE = "Q7"


def starts_transfer(answer: Answer) -> bool:
    """The first record of a transfer is the SOA (RFC 5936 section 2.2)."""
    message = answer.message
    return message.rcode == NOERROR and bool(message.answer) and message.answer[0].rtype == SOA


def _opened(view: ZoneView, ask: str) -> dict[Address, Answer]:
    """The servers that begin to transfer this zone."""
    found = (answer for answer in view.answers(ask) if answer.qname == view.zone and starts_transfer(answer))
    return {answer.address: answer for answer in found}


@check(
    "exp.ixfr",
    properties=(SEC,),
    asked=("S21", "S20"),
    codes={
        "closed": "No server of {zone} that was asked gives incremental transfers to strangers.",
        "open": "{server} refuses a whole transfer of {zone}, but gives an incremental one to anyone.",
        "as-whole": "{servers} {servers:transfers|transfer} {zone} to anyone in either way (see exp.axfr).",
        **_OTHER_ZONE,
        **UNHEARD,
    },
)
def ixfr(view: ZoneView) -> Iterator[Outcome]:
    """Servers that refuse whole transfers to strangers refuse incremental ones too.

    Why: an incremental transfer from an old serial shows as much as a whole one.
    Rule: notice if the first message of a transfer with more than the SOA comes back to IXFR from serial 0, at a
        server that does not give a whole transfer.
    Source: RFC 1995 section 4; RFC 9103 section 8; KINDNS practice 2.
    Do: let the access list of transfers cover both kinds.
    """
    probed, whole = probe(view, "S21", alive=_NO_ALIVE), _opened(view, "S20")
    opened = {a: x for a, x in _opened(view, "S21").items() if len(x.message.answer) > 1}
    for address, answer in opened.items():
        if address not in whole:
            server = view.server_label(address)
            yield outcome("open", answer.exchange, subject=server, server=server)
    both = [address for address in opened if address in whole]
    if both:
        yield not_applicable("as-whole", (opened[a].exchange for a in both), servers=labels(view, both))
    own = [answer for answer in probed.answers if answer.qname == view.zone]
    refused = [x for address in probed.dropped for x in view.asked("S21", address) if not is_answered(x)]
    if (own or refused) and not opened:
        yield outcome("closed", shown_by(own), refused)
    other = [answer for answer in probed.answers if answer.qname != view.zone]
    if other:
        servers = labels(view, [answer.address for answer in other])
        yield unknown("other-zone", shown_by(other), servers=servers)
    yield from unheard(view, probed.heard, "S21")


@check(
    "exp.zone-churn-leak",
    version=2,
    properties=(SEC,),
    asked=("S20", "S21", "Q5", "Q6"),
    codes={
        "public": "All names of {zone} can be listed by anyone: {ways}.",
        "guessed": "Names of {zone} can be told only by guessing against the hashes of NSEC3.",
        "hidden": "No way to list the names of {zone} was seen.",
        **UNHEARD_EDNS,
    },
)
def zone_churn_leak(view: ZoneView) -> Iterator[Outcome]:
    """Ways in which anyone can list the zone's names, and so see each new one.

    Why: new names tell of products, customers and hosts; for public zones that is no harm.
    Rule: reported, not judged: open transfers, and NSEC and NSEC3 records that give the next name or its hash; those
        made for one question do not. Zone files that a registry hands out are not known here.
    Source: RFC 5155 section 1.1; RFC 5936 section 5; RFC 4470 section 3; RFC 7129 appendix B.
    Do: where the names are to stay private, close transfers and use NSEC with minimal spans or NSEC3.
    """
    ways: dict[str, Exchange] = {}
    for ask, way in (("S20", "zone transfer"), ("S21", "incremental transfer")):
        for answer in _opened(view, ask).values():
            ways.setdefault(way, answer.exchange)
    hashed: list[Exchange] = []
    heard: list[Exchange] = []
    for answer in (*view.answers("Q5"), *view.answers("Q5N"), *view.answers("Q6")):
        if not has_authority(answer):
            continue
        heard.append(answer.exchange)
        if _leads_on(answer.message, NSEC3):
            hashed.append(answer.exchange)
        elif _leads_on(answer.message, NSEC):
            ways.setdefault("NSEC", answer.exchange)
    if ways:
        yield outcome("public", ways.values(), ways=tuple(ways))
    elif heard:
        yield outcome("guessed" if hashed else "hidden", hashed or heard)
    else:
        yield from none_proper(view, hear(view, "Q5", "Q6"), "Q5", "Q6")


@lru_cache(maxsize=1024)
def _leads_on(message: Message, rtype: int) -> bool:
    """Whether any denial record of that type gives a name of the zone, or its hash, other than the one asked for."""
    sets = [(record.owner, (record.rdata,)) for record in message.authority if record.rtype == rtype]
    if rtype == NSEC:
        return any(not is_made(owner, nsec) for owner, octets in sets for nsec in read_all(rdata.nsec, octets))
    return any(not is_made_hashed(owner, nsec3) for owner, octets in sets for nsec3 in read_all(rdata.nsec3, octets))


@check(
    "exp.catalog-zone",
    properties=(SEC,),
    asked=("S20", "S21"),
    codes={
        "open": "{server} gives {zone} to anyone, which is a catalog zone of version {version}.",
        "not-seen": "Nothing shows {zone} to be a catalog zone.",
        "no-transfer": "No server of {zone} transfers it to strangers, so that what it lists stays hidden.",
        "not-asked": "No server of {zone} was asked for a transfer.",
    },
)
def catalog_zone(view: ZoneView) -> Iterator[Outcome]:
    """Catalog zones are not given to strangers.

    Why: a catalog lists every zone that its servers serve, private ones included.
    Rule: warning if the first message of an open transfer has a TXT record at the name version below the zone, and
        PTR records at names below zones.
    Source: RFC 9432 sections 4.2 and 7.
    Do: limit queries and transfers of the catalog to its consumers.
    """
    opened = {**_opened(view, "S21"), **_opened(view, "S20")}
    clean = True
    for address, answer in opened.items():
        version = _catalog_version(view, answer)
        if version:
            clean, server = False, view.server_label(address)
            yield outcome("open", answer.exchange, subject=server, server=server, version=version)
    if opened and clean:
        yield outcome("not-seen", (answer.exchange for answer in opened.values()))
    elif not opened and (asked := view.asked("S20")):
        yield outcome("no-transfer", asked)
    elif not opened:
        yield unknown("not-asked")


def _catalog_version(view: ZoneView, answer: Answer) -> str:
    """The version in the record that every catalog zone has, if there are members too."""
    owner, members = b"\x07version" + view.zone.key, b"\x05zones" + view.zone.key
    records = answer.message.answer
    texts = read_all(rdata.txt, (r.rdata for r in records if r.rtype == TXT and r.owner.key == owner))
    has_members = any(r.rtype == PTR and r.owner.key.endswith(members) for r in records)
    versions = [b"".join(strings).decode("ascii", "replace") for strings in texts]
    return versions[0] if versions and has_members else ""
