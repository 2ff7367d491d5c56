"""What receivers go through when they evaluate an SPF record: the look-ups it costs, and where they end nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from gnomon.base import Name
from gnomon.base.codes import TXT
from gnomon.checks.lookup import look_up, look_up_host
from gnomon.checks.read import read_all
from gnomon.checks.view import ZoneView
from gnomon.evidence import Exchange
from gnomon.wire import rdata, spf
from gnomon.wire.spf import Term

MOST_LOOKUPS = 10
MOST_VOID = 2
_WITH_LENGTHS = frozenset({"ip4", "ip6", "a", "mx"})
_ENOUGH = 40  # counted further than allowed, so that the number says how far it is


@dataclass(slots=True)
class SpfTree:
    """The evaluation in the worst case: no term matches before the last one.

    `lookups` counts the terms that cost one (RFC 7208 section 4.6.4). `broken` are terms with why they make receivers
    give up, `absent` those of them whose domain does not exist. `void` are domains of a and exists terms without any
    record; `left` are domains of other records that were not looked up, so that the count is a lower bound, and
    `hosts_left` those of a and exists terms. `anyone` holds the terms
    that let everybody send, `ending` is the qualifier of "all" in the end, empty without it.
    """

    lookups: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)
    absent: list[tuple[str, Name]] = field(default_factory=list)
    void: list[Name] = field(default_factory=list)
    left: list[Name] = field(default_factory=list)
    hosts_left: list[Name] = field(default_factory=list)
    anyone: list[str] = field(default_factory=list)
    ending: str = ""
    exchanges: list[Exchange] = field(default_factory=list)


def evaluate(view: ZoneView, policy: str) -> SpfTree:
    """Walk through the record and all that it includes; bounded, for records are hostile input."""
    tree = SpfTree()
    tree.ending = _walk(view, tree, policy, (policy,))
    return tree


def _walk(view: ZoneView, tree: SpfTree, policy: str, path: tuple[str, ...]) -> str:
    """The qualifier of "all" with which the record ends, redirections followed."""
    ending, redirect = "", None
    for term in spf.terms(policy):
        if term.name == "all" and not ending:
            ending = term.qualifier
            if ending == "+":
                tree.anyone.append("+all")
        elif term.name == "redirect":
            redirect = term
        elif not ending and tree.lookups < _ENOUGH:
            # What stands behind "all" is never looked at (RFC 7208 section 5.1).
            _count(view, tree, term, path)
        if not ending and term.name in _WITH_LENGTHS and term.qualifier == "+" and _is_everything(term.lengths):
            tree.anyone.append(f"{term.name}{':' if term.value else ''}{term.value}{term.lengths}")
    if redirect is not None and not ending and tree.lookups < _ENOUGH:
        tree.lookups += 1
        included = _follow(view, tree, redirect, f"redirect={redirect.value}", path)
        ending = _walk(view, tree, included, (*path, included)) if included else ""
    return ending


def _is_everything(lengths: str) -> bool:
    """Whether prefix lengths, of IPv4 and behind two slashes of IPv6, let every address match."""
    v4, _, v6 = lengths.partition("//")
    return v4 == "/0" or v6 == "0"


def _count(view: ZoneView, tree: SpfTree, term: Term, path: tuple[str, ...]) -> None:
    tree.lookups += term.name in spf.LOOKUPS
    domain = term.domain
    if term.name == "include":
        included = _follow(view, tree, term, f"include:{term.value}", path)
        before = len(tree.anyone)
        if included:
            _walk(view, tree, included, (*path, included))
        if term.qualifier != "+":
            del tree.anyone[before:]
    elif term.name in ("a", "exists") and domain is not None:
        host = look_up_host(view, domain)
        tree.exchanges += host.exchanges
        if not host.is_known:
            tree.hosts_left.append(domain)
        elif not host.addresses:
            tree.void.append(domain)


def _follow(view: ZoneView, tree: SpfTree, term: Term, text: str, path: tuple[str, ...]) -> str | None:
    """The record of the domain that a term names; None if there is none that can be used, and notes why."""
    domain = term.domain
    if domain is None:
        return None  # a macro: another domain for every message
    found = look_up(view, domain, TXT)
    tree.exchanges += found.exchanges
    if not found.is_known:
        tree.left.append(domain)
        return None
    policies = spf.policies(read_all(rdata.txt, found.rdatas))
    if len(policies) != 1:
        tree.broken.append((text, "has more than one SPF record" if policies else "has no SPF record"))
        if found.state == "no-name":
            tree.absent.append((text, domain))
    elif spf.wrong_term(policies[0]) is not None:
        tree.broken.append((text, "has an SPF record with wrong syntax"))
    elif policies[0] in path:
        tree.broken.append((text, "leads back to a record before it"))
    else:
        return policies[0]
    return None
