"""How many messages a plan costs for one zone: the plan's questions multiplied out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from gnomon.base import Name
from gnomon.survey import service_questions as s
from gnomon.survey.plan import A1, C3, C4, P1, P2, R1, Z6, Plan
from gnomon.survey.question import Question, Unit

_OF_DOMAINS = (s.Z1H, s.Z2_A, s.Z2_AAAA, s.Z2_TXT, s.Z2_TLSA, s.H4, s.H5, s.H6)


@dataclass(frozen=True, slots=True)
class Extent:
    """What decides how much a zone costs; of a zone that is not known, the numbers of an ordinary one.

    `addresses` are server addresses of the zone, `with_cookies` those of them that speak cookies, `inside` and
    `outside` its NS names, `parent` server addresses of its parent, `hosts` and `texts` names in its own records for
    mail and the web.
    """

    addresses: int = 6
    with_cookies: int = 0
    inside: int = 2
    outside: int = 1
    parent: int = 4
    hosts: int = 2
    texts: int = 4


def times(question: Question, plan: Plan, zone: Name, extent: Extent) -> int:
    """How often a healthy, signed zone of that extent is asked the question; 0 for what is asked only after trouble.

    Names elsewhere, which are looked up once for all zones, are counted as far as their number is known.
    """
    if question.only_after or not _applies(question, plan, zone):
        return 0
    sizes = _sizes(plan, zone, extent)
    return prod(sizes[unit] for unit in question.per)


def _sizes(plan: Plan, zone: Name, extent: Extent) -> Mapping[Unit, int]:
    depth = len(zone.labels)
    return {
        "address": extent.addresses,
        "cookie address": extent.with_cookies,
        "parent": extent.parent,
        "inside": extent.inside,
        "outside": extent.outside,
        "host server": min(plan.host_servers, extent.addresses),
        "record server": min(plan.record_servers, extent.addresses),
        "parent server": min(plan.parent_servers, extent.parent),
        "pair": 2,
        "above": max(depth - 1, 0),
        "chain": depth,
        "host inside": extent.hosts,
        "text inside": extent.texts,
        "host elsewhere": 0,
        "text elsewhere": 0,
        "between": 0,
        "special name": 7,
    }


def _applies(question: Question, plan: Plan, zone: Name) -> bool:
    """Whether the plan asks it of such a zone at all."""
    labels = zone.labels
    is_arpa = bool(labels) and labels[-1].lower() == b"arpa"
    if question is Z6:
        return not labels
    if question in (P1, P2):
        return bool(labels)
    if question in _OF_DOMAINS:
        return len(labels) > 1 and not is_arpa
    if question in (s.Z1A, s.Z1A_AAAA, s.Z1C):
        return bool(labels) and not is_arpa
    if question in (A1, s.H8):
        return plan.reverse if question is A1 else plan.contact
    if question in (C3, C4):
        return plan.parent_servers > 2
    return question is not R1 or plan.prefix_lookup is not None
