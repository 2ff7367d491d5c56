"""Rules that one survey of authoritative servers cannot judge: registered, and unknown with the reason.

Such a rule is part of the catalogue like any other; that nobody judged it must be visible, or it would pass by
silence. Its function has the specification as docstring and no body:

    @unjudged("del.ns-name-expiring", properties=(SEC, REL), needs="registration-data")
    def ns_name_expiring() -> None:
        '''...'''
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from gnomon.base import Property
from gnomon.checks.outcome import Outcome, unknown
from gnomon.checks.registry import Check, register

if TYPE_CHECKING:
    from gnomon.checks.view import ZoneView

NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "registration-data": "it takes registration data (RDAP, the registry's own), and none is read",
        "allocation-data": "it takes the registries' lists of allocated number resources, and none is read",
        "routing-data": "it takes the routing tables of many networks, and one dated table at most is read",
        "parent-zone-file": "it takes the whole zone of the parent, and a survey asks about one name in it",
        "history": "it takes surveys of the same zone at several times, and each is judged by itself",
        "vantage-points": "it takes answers seen from several places, and a survey asks from one",
        "whole-zone": "it takes all records of the zone (a zone file or transfer), and a survey sees few",
        "other-zones": "it takes many zones side by side, and each is judged by itself",
        "samples": "it takes many questions to the same server, and a survey asks few",
        "consent": "its questions are sent with the operator's consent only, and a survey asks without",
        "reference-list": "it takes a list that is kept elsewhere, and none is read",
        "transport": "it takes a transport or a way to send that a survey does not use",
        "connection": "it takes a connection to the mail or web server itself, and a survey asks name servers only",
        "operator-data": "it takes what only the operator knows",
    }
)
"""What a rule can lack, by the outcome code after "needs-", as the second half of its sentence."""


def unjudged(
    id: str, *, properties: tuple[Property, ...], needs: str, version: int = 1
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Register the function below as the check `id`, which is unknown for every zone; `needs` is a key of `NEEDS`."""
    code = f"needs-{needs}"
    sentence = f"Not judged for {{zone}}: {NEEDS[needs]}."

    judged = unknown(code)

    def judge(view: ZoneView) -> Iterator[Outcome]:
        yield judged

    def decorate(specification: Callable[[], None]) -> Callable[[], None]:
        doc = inspect.getdoc(specification) or ""
        name = f"{specification.__module__}.{specification.__qualname__}"
        register(Check(id, version, properties, {code: sentence}, (), judge, doc, name, needs))
        return specification

    return decorate
