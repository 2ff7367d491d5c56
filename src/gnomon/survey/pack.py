"""The compliance pack of one server address: sent in portions, taken apart where it fails, stopped where it harms."""

from __future__ import annotations

from gnomon.base import ROOT, Address, Name, Transport
from gnomon.survey import compliance as c
from gnomon.survey.plan import BY_CODE, Plan
from gnomon.survey.question import Question
from gnomon.survey.steps import Ask, Reply, Steps, Wave, ask

_WITHOUT_COOKIE = tuple(question for question in c.PACK if question not in (c.S12, c.S13, c.S14))


def ask_pack(plan: Plan, address: Address, zone: Name, fresh: Name, cookie: bytes) -> Steps[bool]:
    """Everything of the pack for one address.

    A server that does not answer a question of the pack nor, after it, an ordinary one has had enough, or keeps us out
    (fail2ban): the rest is not asked.

    Args:
        zone: one that the server serves.
        fresh: a name that it has nothing to do with.
        cookie: the client cookie for the server, and the one that it gave if it gave any.
    """
    names = {"S10": fresh, "S11": ROOT, "S17": c.VERSION_BIND, "S18": c.VERSION_SERVER}

    def asking(question: Question) -> Ask:
        return Ask(question, None, address, question.compose(names.get(question.code, zone), cookie))

    left = list(c.PACK if len(cookie) > 8 else _WITHOUT_COOKIE)
    at_once, gap_s = plan.pack_at_once, plan.pack_gap_s
    while left:
        replies: list[Reply] = yield Wave([asking(question) for question in left[:at_once]], gap_s)
        if any(map(went_unanswered, replies)):
            (alive,) = yield from ask([asking(c.S0)])
            if alive.response is None:
                return False
        left[:at_once] = parts_of(replies)
    return True


def parts_of(replies: list[Reply]) -> list[Question]:
    """The questions that the improper answers among these call for."""
    return [
        BY_CODE[code]
        for reply in replies
        if (proper := reply.ask.question.proper) is not None
        if (message := reply.message) is None or not proper(message)
        if reply.statuses and not reply.was_kept_back
        for code in reply.ask.question.parts
    ]


def went_unanswered(reply: Reply) -> bool:
    """It was sent where every name server answers, and no answer came."""
    if reply.response is not None or not reply.statuses or reply.was_kept_back:
        return False
    return reply.ask.question.transport is not Transport.DOT
