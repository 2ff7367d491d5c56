"""Delegations that the user gave for a zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gnomon.base import Address, Name, parse_address
from gnomon.evidence import Undelegated


@dataclass(frozen=True, slots=True)
class Given:
    """A delegation that the user gave for a zone, as names and addresses."""

    ns_names: tuple[Name, ...]
    glue: Mapping[Name, tuple[Address, ...]]


def read_given(undelegated: Undelegated) -> Given:
    """Names and addresses from their text: each "name" or "name/address".

    Raises:
        InputError: no name or no address.
    """
    glue: dict[Name, tuple[Address, ...]] = {}
    for text in undelegated.ns:
        name, _, address = text.partition("/")
        host = Name.from_text(name)
        glue[host] = (*glue.get(host, ()), *([parse_address(address)] if address else []))
    return Given(tuple(glue), glue)
