"""What signatures that withstand quantum computers would mean for the zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from gnomon.base.codes import ALGORITHM_NAMES, DNSKEY, RRSIG
from gnomon.checks.entry import NO_DS, without_ds
from gnomon.checks.inventory import answers_at
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, REL, RES, SEC, check
from gnomon.checks.replies import UNHEARD, UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.requests import asking
from gnomon.checks.view import ZoneView
from gnomon.wire import Message, rdata

# Octets of public key and signature: FIPS 204, FIPS 205, the Falcon and MAYO (round 2) submissions to NIST.
CANDIDATES: Mapping[str, tuple[int, int]] = {
    "FN-DSA-512": (897, 666),
    "ML-DSA-44": (1312, 2420),
    "MAYO-2": (4912, 186),
    "SLH-DSA-128s": (32, 7856),
}
_DAY_S = 86_400
_SIZED = ("Q2", "Q3", "Q4", "Q5", "Q6")


@check(
    "pqc.exposure",
    properties=(SEC,),
    asked=("Q4",),
    codes={
        "vulnerable": "{zone} is signed with {algorithms}, which a large quantum computer could forge.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def exposure(view: ZoneView) -> Iterator[Outcome]:
    """It is known which of the zone's algorithms a quantum computer would break.

    Why: who has such a computer signs what they like; until then it is enough to be able to change in time.
    Rule: a fact: every algorithm assigned so far rests on factoring or discrete logarithms. A warning once the
        registry says that they must not be used for that reason.
    Source: NIST IR 8547; RFC 9904 and the IANA registry of DNSSEC algorithm numbers.
    Do: nothing yet but to keep software current and to practise algorithm rollovers.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard, published = hear(view, "Q4"), view.keys()
    numbers = sorted({key.dnskey.algorithm for key in published})
    names = tuple(ALGORITHM_NAMES.get(number, str(number)) for number in numbers)
    yield outcome("vulnerable", heard.shown, algorithms=names)
    yield from unheard(view, heard, "Q4")


@check(
    "pqc.size-fit",
    properties=(IOP,),
    asked=_SIZED,
    codes={
        "computed": "Of {count} answers of {zone}, over 1232 octets would be: {over}.",
        "mostly-tcp": "Even with FN-DSA-512 more than half of {count} answers of {zone} would need TCP: {over}.",
        "none-seen": "No server of {zone} gave a signed answer.",
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def size_fit(view: ZoneView) -> Iterator[Outcome]:
    """The zone's answers would still fit into one packet with post-quantum signatures.

    Why: larger keys and signatures move answers from UDP to TCP, which servers and networks must be able to carry.
    Rule: computed from the recorded answers of the server that gave most, each key and signature replaced by one of
        the candidate's size: how many would be over 1232 octets. For the root and top-level domains warning if it is
        more than half with FN-DSA-512, whose keys and signatures are small both; otherwise only a fact.
    Source: FIPS 204; FIPS 205; RFC 9715; the limit is Gnomon's proposal.
    Do: nothing yet; see that TCP works at every server (net.tcp), and keep answers small.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    inventory = view.chain().inventory
    of = [[s for s in answers_at(inventory, address) if s.ask in _SIZED] for address in view.addresses]
    answers = max(of, key=len, default=[])
    parts = [_parts(signed.answer.message) for signed in answers]
    over = {
        name: sum(rest + keys * key_octets + signatures * signature_octets > 1232 for rest, keys, signatures in parts)
        for name, (key_octets, signature_octets) in CANDIDATES.items()
    }
    if answers:
        code = "mostly-tcp" if over["FN-DSA-512"] * 2 > len(answers) else "computed"
        texts = tuple(f"{number} with {name}" for name, number in over.items())
        yield outcome(code, [s.answer.exchange for s in answers], count=len(answers), over=texts)
    else:
        yield unknown("none-seen")
    yield from unheard(view, hear(view, "Q4", edns=True), "Q4")


@lru_cache(maxsize=1024)
def _parts(message: Message) -> tuple[int, int, int]:
    """The octets of a message but for those of keys and signatures, the number of its keys, and of its signatures."""
    records = (*message.answer, *message.authority, *message.additional)
    signatures = read_all(rdata.rrsig, [record.rdata for record in records if record.rtype == RRSIG])
    keys = read_all(rdata.dnskey, [record.rdata for record in records if record.rtype == DNSKEY])
    octets = sum(len(rrsig.signature) for rrsig in signatures) + sum(len(key.key) for key in keys)
    return len(message.wire) - octets, len(keys), len(signatures)


@check(
    "pqc.tcp-ready",
    properties=(RES, REL),
    asked=("Q1", "Q7"),
    codes={
        "ready": "Every server of {zone} that answers over UDP answers over TCP too.",
        "no-tcp": "{servers} {servers:answers|answer} over UDP only: larger signatures would take {servers:it|them} "
        "away (see net.tcp).",
        **UNHEARD,
    },
)
def tcp_ready(view: ZoneView) -> Iterator[Outcome]:
    """Every server could carry answers that no longer fit into UDP.

    Why: with post-quantum signatures TCP becomes the usual way for many answers.
    Rule: unknown for servers without TCP, which is net.tcp's and net.tc-fallback's finding; pass where there are none.
    Source: RFC 7766; RFC 9210.
    Do: open TCP port 53 at servers and firewalls, with room for many connections.
    """
    heard, asked = hear(view, "Q1"), view.attempts("Q7")
    mute = [a.address for a in heard.answers if a.address in asked and view.answer("Q7", a.address) is None]
    shown = [x for a in heard.answers for x in view.asked("Q7", a.address)]
    if mute:
        yield unknown("no-tcp", shown, servers=labels(view, mute))
    elif shown:
        yield outcome("ready", shown)
    elif heard.answers:
        yield unknown("not-asked", servers=labels(view, [a.address for a in heard.answers]))
    yield from unheard(view, heard, "Q1")


@check(
    "pqc.agility",
    properties=(SEC,),
    asked=("Q8", "Q8K", "P2"),
    codes={
        "automated": "{zone} tells its parent of new keys by itself (CDS or CDNSKEY records).",
        "short-ds": "The DS of {zone} lives {ttl_s} s in caches: its keys can be changed within a day.",
        "needs-history": "The DS of {zone} lives {ttl_s} s and is changed by hand; whether it ever was takes history.",
        **NO_DS,
        **UNSIGNED,
        **UNHEARD_EDNS,
    },
)
def agility(view: ZoneView) -> Iterator[Outcome]:
    """The zone can change its algorithm quickly.

    Why: the day an algorithm falls, zones that have never changed one, and have to do it by hand, are last.
    Rule: pass with CDS or CDNSKEY records, or a DS with a TTL of at most a day; notice without both if the zone has
        never changed its algorithm, which one survey cannot see: unknown then.
    Source: none; a proposal of this project.
    Do: let the signer publish CDS and CDNSKEY records, and practise an algorithm rollover.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    rrset = view.ds()
    if asking(view):
        yield outcome("automated", [x for one in asking(view) for x in view.asked("Q8", one.address)])
    elif rrset is None:
        yield from without_ds(view)
    else:
        state, code = (outcome, "short-ds") if rrset.ttl_s <= _DAY_S else (unknown, "needs-history")
        yield state(code, view.asked("P2"), ttl_s=rrset.ttl_s)
