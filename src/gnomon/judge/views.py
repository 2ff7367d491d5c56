"""Zone views from an evidence directory: each zone's own exchanges and the shared ones it needs."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from gnomon.base import InputError, Name, reverse_name
from gnomon.base.codes import NS, SOA
from gnomon.base.signals import signal_name
from gnomon.checks.levels import ZoneClass, class_of
from gnomon.checks.observed import parsed
from gnomon.checks.parent import Undelegated
from gnomon.checks.read import in_order, read_all
from gnomon.checks.view import Routing, ZoneView
from gnomon.evidence import (
    EvidenceDir,
    Exchange,
    RunInfo,
    ZonePartition,
    cut_subject,
    name_subject,
    server_subject,
)
from gnomon.evidence.subject import zone_subject, zone_text
from gnomon.sources import parse_anchor
from gnomon.survey.given import read_given
from gnomon.survey.leads import leads
from gnomon.survey.steps import Key
from gnomon.wire import Message, rdata
from gnomon.wire.rdata import Ds

_ALL_AT_ONCE_ROWS = 200_000
_SUBJECTS_KEPT = 20_000
_SHOW_NS = ("P1", "P1N", "Q3", "Q3N")


def views(evidence: EvidenceDir, *, routing: Routing | None = None) -> Iterator[ZoneView]:
    """A view of every finished zone, segment by segment.

    Raises:
        InputError: the evidence is damaged, or run.json has an input that cannot be read.
    """
    maker = ViewMaker(evidence, routing)
    for partition in evidence.zone_partitions():
        yield from maker.views(partition)


class ViewMaker:
    """Makes the views of one run and keeps the shared exchanges at hand."""

    def __init__(
        self,
        evidence: EvidenceDir,
        routing: Routing | None = None,
        zone_class: Callable[[Name], ZoneClass] = class_of,
    ) -> None:
        """`zone_class` says of what class a zone is."""
        self._zone_class = zone_class
        self._evidence = evidence
        self._routing = routing
        self._anchors, self._undelegated = inputs_of(evidence.run)
        self._shared = _shared_of(evidence)
        self._withheld = evidence.withheld_subjects()
        self.partial: set[str] = set()
        """The zones seen so far for which not all recorded exchanges are left: some were withheld."""

    def views(self, partition: ZonePartition) -> Iterator[ZoneView]:
        """The views of the zones that one segment finishes."""
        for zone, own in partition:
            yield self.view(zone, own)

    def view_of(self, zone: Name) -> ZoneView | None:
        """The view of one zone by its name; None if the run has not finished it."""
        for partition in self._evidence.zone_partitions():
            if zone_text(zone) in partition.zones:
                return next(self.view(found, own) for found, own in partition if found == zone)
        return None

    def view(self, zone: Name, own: Iterable[Exchange]) -> ZoneView:
        """The view of one zone from its own exchanges; the shared ones are looked up."""
        own, given = tuple(own), self._undelegated.get(zone)
        if zone_subject(zone) in self._withheld:
            self.partial.add(zone_text(zone))
        return ZoneView(
            zone,
            (*own, *self._needed(zone, own, given)),
            root_anchors=self._anchors,
            undelegated=given,
            zone_class=self._zone_class(zone),
            routing=self._routing,
        )

    def _needed(self, zone: Name, own: Sequence[Exchange], given: Undelegated | None) -> Iterator[Exchange]:
        """The shared exchanges of the cuts above the zone and its NS names, of these names, of its servers."""
        names = in_order((*_ns_names(zone, own), *(given.ns_names if given else ())))
        signals = [signal for name in names if (signal := signal_name(zone, name)) is not None]
        primaries = [name for name in _primaries(zone, own) if name not in names]
        cuts = {above for name in (zone, *names, *signals) for above in name.ancestors()[1:]}
        subjects = [cut_subject(cut) for cut in in_order(cuts)]
        subjects += [name_subject(name) for name in (*names, *signals, *primaries)]
        asked = dict.fromkeys(x.address for x in own if x.ask.startswith("Q"))
        subjects += [server_subject(address) for address in asked]
        subjects += [name_subject(reverse_name(address)) for address in asked]
        led = in_order(self._led_to(zone, own))
        subjects += [name_subject(name) for name in led if name not in names and name not in primaries]
        hosts = {above for name in led for above in name.ancestors()[1:]}
        subjects += [cut_subject(cut) for cut in in_order(hosts - cuts)]
        if not self._withheld.isdisjoint(subjects):
            self.partial.add(zone_text(zone))
        for subject in subjects:
            yield from self._shared(subject)

    def _led_to(self, zone: Name, own: Iterable[Exchange]) -> set[Name]:
        """The names that the zone's records for mail and the web, and its contact, lead to, as far as looked up."""
        asked = [x for x in own if x.ask[0] == "Z" or x.ask == "Q1"]
        todo = [key for message in _messages(asked) for key in _leads(zone, message)]
        found: set[Name] = set()
        while todo:
            kind, name = todo.pop()
            assert isinstance(name, Name)
            if name not in found:
                found.add(name)
                shared = self._shared(name_subject(name)) if kind in ("text", "mx") else ()
                todo += [key for message in _messages(shared) for key in _leads(zone, message, name)]
        return found


def _messages(exchanges: Iterable[Exchange]) -> Iterable[Message]:
    """The different responses."""
    return dict.fromkeys(parsed(x.response) for x in exchanges if x.response is not None)


def _leads(zone: Name, message: Message, name: Name | None = None) -> Iterable[Key]:
    """What one answer leads to; `name` is the one that was looked up if the question may be about its alias."""
    question = message.question
    return () if question is None else leads(zone, name or question.name, question.qtype, message)


def view_from(
    run: RunInfo, zone: Name, exchanges: Iterable[Exchange], routing: Routing | None, zone_class: ZoneClass
) -> ZoneView:
    """The view of one zone from all exchanges that it needs, without their run's directory.

    Raises:
        InputError: an input of the run cannot be read.
    """
    anchors, undelegated = inputs_of(run)
    return ZoneView(
        zone, exchanges, root_anchors=anchors, undelegated=undelegated.get(zone), zone_class=zone_class, routing=routing
    )


def _ns_names(zone: Name, own: Iterable[Exchange]) -> Iterator[Name]:
    """Every NS name that an answer of the parent or of the zone's servers shows for the zone."""
    for message in _messages(x for x in own if x.ask in _SHOW_NS):
        records = (*message.answer, *message.authority)
        yield from read_all(rdata.ns, (r.rdata for r in records if r.rtype == NS and r.owner == zone))


def _primaries(zone: Name, own: Iterable[Exchange]) -> tuple[Name, ...]:
    """The names that SOA records of the zone have as primary."""
    messages = _messages(x for x in own if x.ask == "Q1")
    found = (r.rdata for m in messages for r in m.answer if r.rtype == SOA and r.owner == zone)
    return in_order(soa.mname for soa in read_all(rdata.soa, found))


def _shared_of(evidence: EvidenceDir) -> Callable[[str], Sequence[Exchange]]:
    """The shared exchanges by subject: all in memory for a run of some thousand zones, else those used last."""
    if sum(manifest.shared_rows for manifest in evidence.manifests()) > _ALL_AT_ONCE_ROWS:
        return lru_cache(maxsize=_SUBJECTS_KEPT)(evidence.shared)
    of: dict[str, list[Exchange]] = {}
    for exchange in evidence.shared_exchanges():
        of.setdefault(exchange.subject, []).append(exchange)
    return lambda subject: of.get(subject, ())


def inputs_of(run: RunInfo) -> tuple[tuple[Ds, ...], Mapping[Name, Undelegated]]:
    """The root's trust anchors and the delegations given by hand.

    Raises:
        InputError: one of them cannot be read.
    """
    anchors = tuple(anchor.ds for anchor in map(parse_anchor, run.trust_anchors) if anchor.owner.is_root)
    undelegated = {}
    for zone, texts in run.undelegated.items():
        given = read_given(texts)
        ds = tuple(_ds_rdata(text) for text in texts.ds)
        undelegated[Name.from_text(zone)] = Undelegated(given.ns_names, given.glue, ds)
    return anchors, undelegated


def _ds_rdata(text: str) -> bytes:
    """The octets of a DS: the last four fields of its text form, separated by spaces or commas."""
    try:
        tag, algorithm, digest_type, digest = text.replace(",", " ").split()[-4:]
        return struct.pack("!HBB", int(tag), int(algorithm), int(digest_type)) + bytes.fromhex(digest)
    except (ValueError, struct.error):
        raise InputError(f"{text!r} is no DS record; write: key tag, algorithm, digest type, digest") from None
