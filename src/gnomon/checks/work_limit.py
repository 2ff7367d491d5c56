"""Whether the survey got to ask all that it wanted."""

from __future__ import annotations

from collections.abc import Iterator

from gnomon.checks.observed import NOT_SENT_BOUND
from gnomon.checks.outcome import Outcome, outcome, unknown
from gnomon.checks.registry import REL, check
from gnomon.checks.view import ZoneView


@check(
    "net.work-limit",
    properties=(REL,),
    asked=("P1", "Q1"),
    codes={
        "within": "All that the plan has for {zone} was asked within its bounds.",
        "reached": "Not all was asked about {zone}: a bound of the plan was reached at {ask} for {server}, "
        "and {count} more. What else is unknown may be so for that reason.",
    },
)
def work_limit(view: ZoneView) -> Iterator[Outcome]:
    """Learning about the zone takes no more work than the plan allows.

    Why: what servers say decides how much is asked; without bounds a zone could make a survey, or a resolver, flood
        others. What a bound leaves unasked must not pass by silence.
    Rule: unknown if a bound on messages, octets or time kept a question from being sent.
    Source: NXNSAttack (2020); TsuNAME (2021); RFC 9520 section 3.
    Do: assess the zone alone, which has wider bounds than a survey; look for servers that answer late, in circles or
        with many names.
    """
    kept = [x for x in view.about(view.subject) if x.status == NOT_SENT_BOUND]
    if kept:
        first = kept[0]
        server = str(first.address) if first.server_name is None else f"{first.server_name}/{first.address}"
        yield unknown("reached", kept, ask=first.ask, server=server, count=len(kept) - 1)
    elif asked := view.about(view.subject):
        yield outcome("within", asked[:1])
