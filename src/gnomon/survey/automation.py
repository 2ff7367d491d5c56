"""What is asked for the automation between child and parent: signals of operators, and whom the parent notifies."""

from __future__ import annotations

from collections.abc import Iterable

from gnomon.base import Name
from gnomon.base.signals import dsync_names, signal_name
from gnomon.survey.automation_questions import P5
from gnomon.survey.cuts import Cut, Walker, is_final
from gnomon.survey.steps import Need, Steps


def ask_parent(walker: Walker, zone: Name, parent: Cut) -> Steps[None]:
    """The DSYNC records of the parent for the zone (RFC 9859 section 4.1)."""
    for name in dsync_names(zone, parent.zone):
        replies = yield from walker.ask_one(parent, name, [P5], is_final)
        message = replies[0].message if replies else None
        if message is not None and any(record.rtype == P5.qtype for record in message.answer):
            break


def ask_operators(zone: Name, ns_names: Iterable[Name]) -> Steps[None]:
    """The signals of the name servers' operators for the zone (RFC 9615 section 4.2)."""
    names = (signal_name(zone, ns_name) for ns_name in ns_names)
    yield Need([("signal", name) for name in names if name is not None])
