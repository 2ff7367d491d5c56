"""The plan: every question a survey can ask, as data, and the bounds it keeps.

A question's code is what evidence rows carry as `ask` and what checks name. Source of the set: RFC 8906 for the
compliance pack (`compliance`), the rest follows from what the checks need. To add a question, add it here and send it
from the task of its subject (`zone`, `cuts`, `pack`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import sha256

from gnomon.base import Name, RRType, Transport
from gnomon.base.codes import (
    AAAA,
    DNAME,
    DNSKEY,
    DS,
    NS,
    NSEC,
    NSEC3PARAM,
    OPTION_COOKIE,
    OPTION_NSID,
    OPTION_TCP_KEEPALIVE,
    PTR,
    SOA,
    TXT,
    A,
)  # fmt: skip
from gnomon.survey.automation_questions import AUTOMATION
from gnomon.survey.compliance import COMPLIANCE, PACK
from gnomon.survey.question import UDP_SIZE_OCTETS, Question, is_proper_with_edns
from gnomon.survey.service_questions import SERVICES
from gnomon.wire import Edns
from gnomon.wire.edns import DO

PRIVATE_TYPE = RRType(65280)  # first of the private-use types (RFC 6895 section 3.1)
SPECIAL_USE = tuple(map(Name.from_text, ("alt.", "internal.", "invalid.", "local.", "localhost.", "onion.", "test.")))
PROBE_DOMAIN = Name.from_text("recursion-test.invalid.")

_PLAIN_DO = Edns(UDP_SIZE_OCTETS, flags=DO)
_NSID = (OPTION_NSID, b"")

_ALWAYS = "at every address of the zone"
_ANSWERING = "at every address that answered Q1"
_NO_EDNS = "if {} got no answer or FORMERR or NOTIMP at an address that answered Q1"

Q1 = Question(
    "Q1", "zone", "SOA of the zone, plain", SOA, _ALWAYS, ("transport", "soa", "consistency", "edns"), attempts=3
)
Q2 = Question(
    "Q2", "zone", "SOA of the zone, DO, NSID, client cookie, case mixed", SOA, _ANSWERING, ("edns", "signatures"),
    edns=Edns(UDP_SIZE_OCTETS, flags=DO, options=(_NSID,)), cookie="client", mix_case=True,
    parts=("Q2C", "Q2N", "Q2K", "Q2D", "Q2S"), proper=is_proper_with_edns,
)  # fmt: skip
Q2_AGAIN = replace(
    Q2, asks="Q2 once more after BADCOOKIE, with the cookie that the server gave (RFC 7873 section 5.3)",
    cookie="server", only_after=True, parts=(), proper=None,
)  # fmt: skip
Q3 = Question(
    "Q3", "zone", "NS of the zone, DO", NS, _ANSWERING, ("delegation", "consistency", "signatures"), edns=_PLAIN_DO
)
Q4 = Question("Q4", "zone", "DNSKEY of the zone, DO", DNSKEY, _ANSWERING, ("keys", "ds", "dnssec"), edns=_PLAIN_DO)
Q4L = Question(
    "Q4L", "zone", "DNSKEY of the zone, DO, 4096 octets at most", DNSKEY, "where Q4 was truncated", ("transport",),
    edns=Edns(4096, flags=DO), attempts=1, follow_truncation=False, only_after=True,
)  # fmt: skip
Q5 = Question(
    "Q5", "zone", "A of a random name below the zone, DO", A, _ANSWERING, ("denial", "answers"), edns=_PLAIN_DO
)
Q6 = Question(
    "Q6", "zone", "a private-use type at the zone, DO", PRIVATE_TYPE, _ANSWERING, ("denial", "answers"), edns=_PLAIN_DO
)
Q7 = Question(
    "Q7", "zone", "SOA of the zone over TCP, DO", SOA, _ALWAYS, ("transport", "consistency"), Transport.TCP, _PLAIN_DO
)
Q7K = Question(
    "Q7K", "zone", "DNSKEY of the zone over TCP, DO, together with Q7", DNSKEY, _ANSWERING, ("transport", "keys"),
    Transport.TCP, _PLAIN_DO, attempts=1,
)  # fmt: skip
Q7N = Question(
    "Q7N", "zone", "NS of the zone over TCP, DO and TCP keepalive", NS, "at every address that answered Q1 or Q7",
    ("transport", "edns"), Transport.TCP, Edns(UDP_SIZE_OCTETS, flags=DO, options=((OPTION_TCP_KEEPALIVE, b""),)),
    attempts=1,
)  # fmt: skip
Q3N = Question(
    "Q3N",
    "zone",
    "NS of the zone, plain",
    NS,
    _NO_EDNS.format("Q3"),
    ("delegation", "consistency"),
    only_after=True,
)
Q4N = Question(
    "Q4N", "zone", "DNSKEY of the zone, plain", DNSKEY, _NO_EDNS.format("Q4"), ("keys", "ds"), only_after=True
)
Q5N = Question("Q5N", "zone", "A of the random name, plain", A, _NO_EDNS.format("Q5"), ("answers",), only_after=True)
Q10 = Question(
    "Q10", "zone", "A of www in the zone, plain", A, "at every address that answered Q1, if none had authority",
    ("delegation",), only_after=True,
)  # fmt: skip
Q8D = Question(
    "Q8D", "zone", "DS of the zone, DO", DS,
    "at 2 addresses that answered Q1, if any of them has a DNSKEY", ("dnssec",), edns=_PLAIN_DO, per=("pair",),
)  # fmt: skip
Q8P = Question(
    "Q8P", "zone", "NSEC3PARAM of the zone, DO", NSEC3PARAM, _ANSWERING + ", if any of them has a DNSKEY",
    ("denial",), edns=_PLAIN_DO,
)  # fmt: skip
Q8N = Question(
    "Q8N", "zone", "NSEC of the zone, DO", NSEC, _ANSWERING + ", if any of them has a DNSKEY", ("denial",),
    edns=_PLAIN_DO,
)  # fmt: skip


def _less(code: str, what: str, edns: Edns, *, cookie: bool = True, mix_case: bool = True) -> Question:
    """Q2 with one feature less."""
    return Question(
        code, "zone", f"Q2 {what}", SOA, "where Q2 got no proper answer", ("edns",), edns=edns,
        cookie="client" if cookie else "", mix_case=mix_case, attempts=1, follow_truncation=False, only_after=True,
    )  # fmt: skip


Q2_PARTS = (
    _less("Q2C", "without the cookie", Edns(UDP_SIZE_OCTETS, flags=DO, options=(_NSID,)), cookie=False),
    _less("Q2N", "without NSID", _PLAIN_DO),
    _less("Q2K", "with the name's own case", Edns(UDP_SIZE_OCTETS, flags=DO, options=(_NSID,)), mix_case=False),
    _less("Q2D", "without DO", Edns(UDP_SIZE_OCTETS, options=(_NSID,))),
    _less("Q2S", "for 512 octets at most", Edns(512, flags=DO, options=(_NSID,))),
)
_Q9_WHEN = "for each NS name inside the zone: " + _ANSWERING + ", at as many of them as the plan's host_servers says"
Q9_A = Question(
    "Q9", "zone", "A of an NS name inside the zone, DO", A, _Q9_WHEN, ("addresses", "consistency"), edns=_PLAIN_DO,
    per=("inside", "host server"),
)  # fmt: skip
Q9_AAAA = Question(
    "Q9", "zone", "AAAA of an NS name inside the zone, DO", AAAA, _Q9_WHEN, ("addresses", "consistency"),
    edns=_PLAIN_DO, per=("inside", "host server"),
)  # fmt: skip
_Q9M_WHEN = "for each name between the zone and an NS name inside it, at most 4: at 2 addresses that answered Q1"
Q9M = Question(
    "Q9M", "zone", "A of a name that others are below, DO", A, _Q9M_WHEN, ("answers",), edns=_PLAIN_DO,
    follow_truncation=False, per=("between", "pair"),
)  # fmt: skip
Q9M_NS = Question(
    "Q9M", "zone", "NS of a name that others are below, DO", NS, _Q9M_WHEN, ("answers",), edns=_PLAIN_DO,
    follow_truncation=False, per=("between", "pair"),
)  # fmt: skip
Z6 = Question(
    "Z6", "zone", "A of a special-use name (invalid, localhost, test, alt, onion, local, internal), DO", A,
    "for the root only: at 2 addresses that answered Q1", ("answers",), edns=_PLAIN_DO, per=("special name", "pair"),
)  # fmt: skip

_PARENT = (
    "at parent_servers addresses of the parent zone, of different names and IP versions if there are; up to twice as"
    " many until so many answer"
)
P1 = Question(
    "P1", "zone", "NS of the zone, DO", NS, _PARENT, ("delegation", "addresses"), edns=_PLAIN_DO, per=("parent server",)
)
P2 = Question("P2", "zone", "DS of the zone, DO", DS, _PARENT, ("ds", "dnssec"), edns=_PLAIN_DO, per=("parent server",))
P1N = Question(
    "P1N", "zone", "NS of the zone, plain", NS, "at the same addresses, if none answered P1", ("delegation",),
    per=("parent server",), only_after=True,
)  # fmt: skip
P4 = Question(
    "P4", "zone", "DNAME of the zone, DO", DNAME, "at those that answered P1 with authority and without NS or CNAME",
    ("delegation",), edns=_PLAIN_DO, per=("parent server",), only_after=True,
)  # fmt: skip
_P3_WHEN = "for each NS name inside the zone that has no glue, where the parent's server answered P1 with authority"
P3_A = Question(
    "P3", "zone", "A of an NS name inside the zone, DO", A, _P3_WHEN, ("addresses",), edns=_PLAIN_DO,
    per=("inside", "parent server"), only_after=True,
)  # fmt: skip
P3_AAAA = Question(
    "P3", "zone", "AAAA of an NS name inside the zone, DO", AAAA, _P3_WHEN, ("addresses",), edns=_PLAIN_DO,
    per=("inside", "parent server"), only_after=True,
)  # fmt: skip

Z3 = Question(
    "Z3", "zone", "SOA of the zone, plain, at an address of the MNAME of its SOA record", SOA,
    "with the plan's primary, at up to 4 addresses that are not those of its NS names", ("soa",),
    per=("host elsewhere",),
)  # fmt: skip

H1 = Question(
    "H1", "name", "A of an NS name, or another host that records name, outside the zone", A,
    "once for the name: at the servers of its zone, one after the other, at most 3, until one answers; again lower"
    " down after a referral, and for the target of a CNAME", ("addresses", "exposure"), per=("outside",),
)  # fmt: skip
H2 = Question(
    "H2", "name", "AAAA of the same", AAAA, "together with H1", ("addresses", "exposure"),
    per=("outside",),
)  # fmt: skip
A1 = Question(
    "A1", "name", "PTR of a server address", PTR,
    "with the plan's reverse, once for each server address of a zone: as H1, for the reverse name", ("addresses",),
)  # fmt: skip

R1 = Question(
    "R1", "server", "TXT of a server address, reversed, in the zone of a prefix look-up service", TXT,
    "with the plan's prefix_lookup, once for each server address of a zone: as H1, for that name", ("resilience",),
    only_after=True,
)  # fmt: skip

C0 = Question(
    "C0", "cut", "NS of an ancestor of a zone or of an NS name, DO", NS,
    "once for the ancestor: at the servers of the closest zone above it, at most 3, until one answers", (),
    edns=_PLAIN_DO, per=("above",),
)  # fmt: skip
C1 = Question(
    "C1", "cut", "DS of a zone above a surveyed zone, DO", DS, "once for the zone: at 2 addresses of its parent",
    ("dnssec",), edns=_PLAIN_DO, per=("above", "pair"),
)  # fmt: skip
C2 = Question(
    "C2", "cut", "DNSKEY of a zone above a surveyed zone, DO", DNSKEY, "once for the zone: at 2 of its addresses",
    ("dnssec",), edns=_PLAIN_DO, per=("chain", "pair"),
)  # fmt: skip

_WALK = "once for the zone, where the plan's parent_servers is over 2: at as many addresses of "
C3 = Question(
    "C3", "cut", "SOA of a zone above a surveyed zone, plain", SOA, _WALK + "the zone above it", ("delegation",),
    per=("above", "parent server"),
)  # fmt: skip
C4 = Question(
    "C4", "cut", "NS of a zone above a surveyed zone, at its own servers, plain", NS, _WALK + "its own",
    ("delegation",), per=("chain", "parent server"),
)  # fmt: skip

QUESTIONS: tuple[Question, ...] = (
    P1, P2, P1N, P3_A, P3_AAAA, P4,
    Q1, Q2_AGAIN, Q2, *Q2_PARTS, Q3, Q4, Q4L, Q5, Q6, Q7, Q7K, Q7N, Q3N, Q4N, Q5N, Q10, Q8P, Q8N, Q8D, Q9_A, Q9_AAAA,
    Q9M, Q9M_NS, Z3, Z6,
    *SERVICES, H1, H2,
    *AUTOMATION, A1, R1, C0, C1, C2, C3, C4, *COMPLIANCE,
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """The questions with the bounds within which they are asked.

    Bounds: what servers say decides how much is asked, so all of it is capped (NXNSAttack, TsuNAME, CAMP).

    Args:
        probe_domain: S10 asks for a fresh name below it; a domain that is yours, or one that cannot exist.
        ns_names: NS names of one zone whose addresses are looked for and asked; the first in canonical order, those
            of the delegation before those only the zone itself has.
        addresses: server addresses of one zone that are asked; in order of name, then address.
        host_servers: servers of the zone, of both IP versions, that are asked for the addresses of NS names inside it.
        record_servers: servers of the zone, of both IP versions, that are asked for its MX, TXT and CAA records.
        hosts: names of hosts in the zone's MX, SPF and HTTPS records, and aliases of www, that are looked up.
        texts: names of policies elsewhere (SPF, DMARC) that are looked up.
        parent_servers: addresses of the parent that are asked for the delegation and for the DS; over 2, the servers
            of the zones above are also asked whether they serve these, and delegate the next.
        primary: the server that the SOA record names as primary is looked up, and asked if it is none of the NS names.
        reverse: the names of server addresses are looked up too.
        prefix_lookup: the zone of a service that tells which prefix an address is announced in (TXT records as Team
            Cymru's); it learns of every server address.
        contact: where mail to the contact in the SOA record goes is looked up too.
        zone_queries: messages to the parent's and the zone's own servers for one zone.
        zone_octets: response octets for one zone; nothing more is asked beyond.
        name_queries: messages to find the addresses of one name.
        walk_queries: messages that names and cuts first needed by one zone may cost in all.
        walked_queries: messages that one zone may cost each zone whose servers are only asked on the way to a name;
            zones above it are no such zones.
        cuts: labels below the root that are looked at one by one for zone cuts.
        indirections: referrals, or names whose servers' names must be found first, one after the other.
        aliases: CNAME records followed from the name of a server, one after the other.
        tries: servers of one zone asked before a question counts as unanswered.
        zone_s: seconds after which nothing more is asked for a zone.
        pack_at_once: questions of the compliance pack that one server address is asked at a time.
        pack_s: seconds over which a healthy server's pack is spread.
    """

    probe_domain: Name = PROBE_DOMAIN
    ns_names: int = 26
    addresses: int = 40
    host_servers: int = 2
    record_servers: int = 2
    hosts: int = 6
    texts: int = 12
    parent_servers: int = 2
    primary: bool = False
    reverse: bool = False
    prefix_lookup: Name | None = None
    contact: bool = False
    zone_queries: int = 600
    zone_octets: int = 8 << 20
    name_queries: int = 100
    walk_queries: int = 300
    cuts: int = 40
    walked_queries: int = 100
    indirections: int = 8
    aliases: int = 12
    tries: int = 3
    zone_s: float = 3600.0
    pack_at_once: int = 6
    pack_s: float = 0.0

    @property
    def pack_gap_s(self) -> float:
        """Seconds before each portion of the pack."""
        return self.pack_s * self.pack_at_once / len(PACK)

    @property
    def longest_zone_s(self) -> float:
        """Seconds after which a zone is done however its servers behave, but for waiting one's turn at a server."""
        return self.zone_s + max(question.longest_ms for question in QUESTIONS) / 1000

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all questions, each once."""
        return tuple(dict.fromkeys(question.code for question in QUESTIONS))

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex over the questions and the bounds."""
        return sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, object]:
        """The plan as JSON values, for `run.json` and for printing."""
        bounds = {name: str(of) if isinstance(of, Name) else of for name, of in vars(self).items() if name in _BOUNDS}
        return {"bounds": bounds, "questions": explain_plan()}


_BOUNDS = frozenset(field.name for field in fields(Plan))


def explain_plan() -> list[dict[str, object]]:
    """Each question as JSON values: the message, when it is asked, what it feeds."""
    return [_described(question) for question in QUESTIONS]


def _described(question: Question) -> dict[str, object]:
    edns = question.edns
    return {
        "code": question.code,
        "subject": question.subject,
        "asks": question.asks,
        "when": question.when,
        "feeds": list(question.feeds),
        "type": str(question.qtype),
        "class": question.qclass,
        "opcode": question.opcode,
        "recursion_desired": question.rd,
        "flags": question.flags,
        "questions": question.questions,
        "extra": question.extra,
        "transport": question.transport.name,
        "edns": edns
        and {
            "version": edns.version,
            "udp_size_octets": edns.udp_size_octets,
            "flags": edns.flags,
            "options": [[code, data.hex()] for code, data in edns.options]
            + [[OPTION_COOKIE, question.cookie]] * bool(question.cookie),
        },
        "case_mixed": question.mix_case,
        "per": list(question.per),
        "only_after": question.only_after,
        "parts": list(question.parts),
        "attempts": question.attempts,
        "timeout_ms": question.timeout_ms,
        "tcp_after_truncation": question.follow_truncation and question.transport == Transport.UDP,
    }


# Somebody waits for one zone: every server is asked for MX, TXT and CAA and for the NS names inside the zone, every
# server of the parent for the delegation, and the names of their addresses are looked up.
ASSESS_PLAN = Plan(
    host_servers=40, record_servers=40, parent_servers=40, primary=True, reverse=True, contact=True, zone_queries=2000,
    name_queries=400, walk_queries=1500, zone_s=120.0,
)  # fmt: skip
# Nobody waits: the compliance pack is spread thin.
SURVEY_PLAN = Plan(pack_at_once=1, pack_s=30.0)
BY_CODE = {question.code: question for question in QUESTIONS}
