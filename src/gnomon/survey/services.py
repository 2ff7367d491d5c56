"""What a zone is asked about mail and the web: at its apex, at well-known names below it, and where these lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gnomon.base import Address, Name
from gnomon.base.codes import NOERROR, NXDOMAIN
from gnomon.survey import service_questions as q
from gnomon.survey.cuts import Walker
from gnomon.survey.leads import SMTP, below, leads, leads_of
from gnomon.survey.question import Question
from gnomon.survey.steps import Ask, Key, Need, Reply, Steps, ask

_ROUNDS = 12  # an SPF record may lead to another ten times (RFC 7208 section 4.6.4)
_TEXTS = ((b"_dmarc",), (b"_mta-sts",), (b"_smtp", b"_tls"), (b"_domainkey",))
_INSIDE = {"host": (q.Z2_A, q.Z2_AAAA), "text": (q.Z2_TXT,), "tlsa": (q.Z2_TLSA,)}


class ServiceSurvey:
    """The steps for one zone.

    Args:
        at: the zone's servers with their names, those to be asked first in front.
        is_served: they answer for the zone with authority; if not, only what the apex says of mail is asked.
        apex_types: the types at the apex if its NSEC told, else empty.
        first: what is to be looked up besides.
        meanwhile: what may begin when the zone's own servers have been asked and others are waited for.
    """

    def __init__(
        self,
        walker: Walker,
        zone: Name,
        at: Sequence[tuple[Address, Name | None]],
        is_served: bool,
        apex_types: frozenset[int],
        first: Sequence[Key] = (),
        meanwhile: Sequence[Key] = (),
    ) -> None:
        self._walker = walker
        self._plan = walker.plan
        self._zone = zone
        self._at = at
        self._is_served = is_served
        self._apex_types = apex_types
        self._besides = first
        self._meanwhile = meanwhile
        self._elsewhere: set[Key] = set()  # names inside that the zone's own servers only refer to
        self._seen: set[tuple[Key, bool]] = set()
        self._turns: dict[Name, int] = {}  # which server is asked for a name: they take turns
        self._left = {"host": self._plan.hosts, "text": self._plan.texts, "tlsa": self._plan.hosts, "caa": 8, "mx": 1}

    def steps(self) -> Steps[None]:
        """Ask the zone's own servers, then follow what their answers lead to, level by level."""
        found = [*(yield from self._ask_own(self._first())), *self._besides]
        for _ in range(_ROUNDS):
            new = self._allowed(found)
            if not new:
                break
            inside = [key for key in new if self._is_inside(key)]
            outside = [key for key in new if not self._is_inside(key)]
            own = (ask for key in inside for question in _INSIDE[key[0]] for ask in self._asks(question, _name(key), 1))
            yield Need(outside, wait=False)
            found = yield from self._ask_own(own)
            yield Need(self._meanwhile, wait=False)
            found += yield from self._follow(outside)

    def _first(self) -> Iterable[Ask]:
        zone, labels = self._zone, self._zone.labels
        is_arpa = bool(labels) and labels[-1].lower() == b"arpa"
        if labels and not is_arpa and self._is_served:
            yield from self._addresses()
            if len(labels) > 1:
                yield from self._of_a_domain()
        for question in (q.Z1M, q.Z1T, *(() if is_arpa or not labels else (q.Z1C,))):
            # That a type is not there need not be heard from all.
            yield from self._asks(question, zone, self._plan.record_servers if self._may_have(question) else 1)

    def _addresses(self) -> Iterable[Ask]:
        for question in (q.Z1A, q.Z1A_AAAA):
            if self._may_have(question):
                yield from self._asks(question, self._zone, 1)

    def _may_have(self, question: Question) -> bool:
        return not self._apex_types or question.qtype in self._apex_types

    def _of_a_domain(self) -> Iterable[Ask]:
        wanted: list[tuple[Question, tuple[bytes, ...]]] = [(q.Z2_TXT, labels) for labels in _TEXTS]
        wanted += [(q.Z2_A, (b"www",)), (q.Z2_AAAA, (b"www",)), (q.Z2_TLSA, (b"_443", b"_tcp"))]
        if self._may_have(q.Z1H):
            wanted.append((q.Z1H, ()))
        for question, front in wanted:
            if (name := below(self._zone, *front)) is not None:
                yield from self._asks(question, name, 1)

    def _asks(self, question: Question, qname: Name, servers: int) -> Iterable[Ask]:
        wire, at = question.compose(qname), self._at[:servers]
        if servers == 1:
            # From the last on: the first ones are asked more as it is.
            at = [self._at[-1 - self._turns.setdefault(qname, len(self._turns)) % len(self._at)]]
        return (Ask(question, name, address, wire) for address, name in at)

    def _ask_own(self, asks: Iterable[Ask]) -> Steps[list[Key]]:
        """What the answers of the zone's servers lead to, each once."""
        found: dict[Key, None] = {}
        replies = yield from ask(list(asks))
        for reply in replies + (yield from ask(self._asked_elsewhere(replies))):
            message = reply.message
            question = message.question if message is not None else None
            if message is not None and question is not None:
                keys = leads(self._zone, question.name, question.qtype, message)
                self._elsewhere.update(key for key in keys if key[1] == question.name)
                found.update(dict.fromkeys(keys))
        return list(found)

    def _asked_elsewhere(self, replies: Sequence[Reply]) -> list[Ask]:
        """What only one server was asked, and did not answer usably, to another, of another name if there is one."""
        failed = [reply.ask for reply in replies if not _is_usable(reply) and not reply.was_kept_back]
        count = Counter((reply.ask.question, reply.ask.wire) for reply in replies if failed)
        again: list[Ask] = []
        for question, name, address, wire in failed:
            others = [at for at in self._at if at[0] != address] if count[question, wire] == 1 else []
            if others:
                other, other_name = next((at for at in others if at[1] != name), others[0])
                again.append(Ask(question, other_name, other, wire))
        return again

    def _allowed(self, keys: Iterable[Key]) -> list[Key]:
        """Those not looked up yet, as far as the plan's bounds go."""
        allowed: list[Key] = []
        for key in keys:
            asked = (key, key in self._elsewhere)
            if asked not in self._seen and key != ("host", self._zone) and self._left[key[0]] > 0:
                self._left[key[0]] -= 1
                allowed.append(key)
            self._seen.add(asked)
        return allowed

    def _is_inside(self, key: Key) -> bool:
        return key[0] in _INSIDE and key not in self._elsewhere and _name(key).is_subdomain_of(self._zone)

    def _follow(self, keys: Sequence[Key]) -> Steps[list[Key]]:
        """Look names up elsewhere, and for mail hosts what shows whether their zone is secure."""
        results = yield Need(keys)
        found: dict[Key, None] = {}
        for key, result in zip(keys, results, strict=True):
            if key[0] == "text" and result:
                found.update(dict.fromkeys(leads_of(self._zone, _name(key), q.H5.qtype, result)))
            if key[0] == "mx":
                found.update(dict.fromkeys(leads_of(self._zone, _name(key), q.H8.qtype, result or ())))
        chains: dict[Key, None] = {}
        for key in keys:
            if key[0] == "tlsa":
                name = _name(key)
                # The end of an alias need not begin like the name that was asked for.
                host = name.parent().parent() if name.labels[:2] == SMTP else name
                cut = yield from self._walker.closest(host)
                chains.update(dict.fromkeys(("chain", one.zone) for one in (cut.upwards() if cut else ())))
        yield Need(list(chains))
        return list(found)


def _is_usable(reply: Reply) -> bool:
    message = reply.message
    return message is not None and message.rcode in (NOERROR, NXDOMAIN) and not message.tc and message.malformed is None


def _name(key: Key) -> Name:
    assert isinstance(key[1], Name)
    return key[1]
