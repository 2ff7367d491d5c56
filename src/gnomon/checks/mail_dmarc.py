"""Mail: the DMARC policy, of the zone itself or of a name above it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gnomon.base import Name, printable
from gnomon.base.codes import TXT
from gnomon.checks.lookup import Lookup, look_up
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import SEC, check
from gnomon.checks.view import ZoneView, class_of
from gnomon.evidence import Exchange
from gnomon.wire import rdata, tags
from gnomon.wire.tags import TagList

_VERSION = "DMARC1"
_WALKED = 8
_POLICIES = ("none", "quarantine", "reject")
# What receivers do while a policy is only tested (RFC 9989 section 4.7, tag t).
_TESTED = {"none": "none", "quarantine": "none", "reject": "quarantine"}
_VALUES = {
    "p": _POLICIES, "sp": _POLICIES, "np": _POLICIES, "adkim": ("r", "s"), "aspf": ("r", "s"), "t": ("y", "n"),
    "psd": ("y", "n", "u"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    """The policy that counts for the zone: its owner, its texts (more than one is none), all that was looked at."""

    at: Name
    policies: tuple[str, ...]
    exchanges: tuple[Exchange, ...]


@check(
    "mail.dmarc",
    properties=(SEC,),
    asked=("Z2", "H5"),
    version=2,
    codes={
        "strict": "The DMARC policy of {zone} is {policy}.",
        "strict-above": "The DMARC policy for {zone} comes from {at}: {policy}.",
        "no-action": "The DMARC policy for {zone}, at {at}, asks receivers to do nothing about forged mail.",
        "none": "There is no DMARC policy for {zone}, at its own name or above.",
        "several": "{at} has {count} DMARC records, which count as none.",
        "syntax": "The DMARC record at {at} is wrong: {wrong}.",
        "unauthorised": "Reports go to {domain}, which does not agree to it: nothing at {name}.",
        "reports-unknown": "Whether {domain} agrees to get the reports is not known: {name} was not looked up.",
        "not-known": "The TXT records of {name} are not known: no usable answer, or not asked.",
        "none-expected": "No mail is expected from {zone}.",
    },
)
def dmarc(view: ZoneView) -> Iterator[Outcome]:
    """A DMARC policy asks receivers not to deliver forged mail.

    Why: without it, mail with the zone's name in the From line is delivered, whoever sent it.
    Rule: the policy is looked for at _dmarc of the zone, then of each name above (8 at most); of several above, that
        of the organisational domain counts: the first with psd=n, the one below the first with psd=y, or the highest.
        Notice if there is none, if it is "none", or "quarantine" while it is only tested (t=y); warning for more than
        one record, a value that the standard does not know, or a domain that is to get the reports and does not say
        that it wants them. The root, top-level domains and zones under arpa need none.
    Source: RFC 9989 sections 4.7 and 4.10 (before it RFC 7489); RFC 9990 section 4; Internet.nl, DMARC.
    Do: publish one TXT record "v=DMARC1; p=reject" at _dmarc once all your mail passes; let the domain that gets the
        reports publish "v=DMARC1" at <zone>._report._dmarc below it.
    """
    if class_of(view.zone) in "RTA":
        yield not_applicable("none-expected")
        return
    found = _find(view)
    if isinstance(found, Lookup):
        yield unknown("not-known", found.exchanges, name=str(found.asked))
    elif not found.policies:
        yield outcome("none", found.exchanges)
    elif len(found.policies) > 1:
        yield outcome("several", found.exchanges, at=str(found.at), count=len(found.policies))
    else:
        yield from _judge(view, found, tags.read(found.policies[0]))


def _find(view: ZoneView) -> _Found | Lookup:
    """The zone's own policy, else that of its organisational domain; the look-up that failed if that is not known.

    The tree walk of RFC 9989 section 4.10. Where the domain that it leads to has no policy, that of the public suffix
    above counts.
    """
    shown: tuple[Exchange, ...] = ()
    above = view.zone.ancestors()[1:-1]
    chosen: _Found | None = None
    for owner in (view.zone, *above[-_WALKED + 1 :]):
        if len(owner.wire) > 248:
            continue
        looked = look_up(view, Name(b"\x06_dmarc" + owner.wire), TXT)
        if not looked.is_known:
            return chosen or looked
        shown += looked.exchanges
        policies = tags.policies(read_all(rdata.txt, looked.rdatas), _VERSION)
        if policies and owner == view.zone:
            return _Found(looked.asked, policies, shown)
        psd = dict((tags.read(policies[0]) if len(policies) == 1 else None) or ()).get("psd", "u").lower()
        is_just_below = chosen is not None and chosen.at.parent().parent() == owner
        if policies and not (psd == "y" and is_just_below):
            chosen = _Found(looked.asked, policies, shown)
        if policies and psd in ("y", "n"):
            break
    return chosen or _Found(view.zone, (), shown)


def _judge(view: ZoneView, found: _Found, read: TagList | None) -> Iterator[Outcome]:
    at, shown = str(found.at), found.exchanges
    wrong = _wrong_with(read)
    if read is None or wrong:
        yield outcome("syntax", shown, at=at, wrong=printable(wrong))
        return
    values, is_own = dict(read), found.at.parent() == view.zone
    policy = (values.get("p", "none") if is_own else values.get("sp", values.get("p", "none"))).lower()
    if values.get("t", "n").lower() == "y":
        policy = _TESTED[policy]
    if policy == "none":
        yield outcome("no-action", shown, at=at)
    else:
        yield outcome("strict" if is_own else "strict-above", shown, policy=policy, at=at)
    if is_own:
        yield from _judge_reports(view, read)


def _wrong_with(read: TagList | None) -> str:
    """The first fault, as the second half of a sentence; unknown tags are to be ignored."""
    if read is None:
        return "it is no list of tag=value"
    for tag, value in read:
        known = _VALUES.get(tag)
        if known is not None and value.lower() not in known:
            return f"{tag}={value} is not one of {', '.join(known)}"
    names = [tag for tag, _ in read]
    again = next((tag for tag in names if names.count(tag) > 1), None)
    return f"the tag {again} is there twice" if again else ""


def _judge_reports(view: ZoneView, read: TagList) -> Iterator[Outcome]:
    """Reports go only to those who say that they want them (RFC 9990 section 4)."""
    named = {domain for tag, value in read if tag in ("rua", "ruf") for domain in tags.mail_domains(value)}
    for domain in sorted(named):
        if domain.is_subdomain_of(view.zone) or view.zone.is_subdomain_of(domain):
            continue
        wire = view.zone.wire[:-1] + b"\x07_report\x06_dmarc" + domain.wire
        if len(wire) > 255:
            continue
        looked = look_up(view, Name(wire), TXT)
        facts = {"domain": str(domain), "name": str(looked.asked)}
        if not looked.is_known:
            yield unknown("reports-unknown", looked.exchanges, subject=str(domain), **facts)
        elif not tags.policies(read_all(rdata.txt, looked.rdatas), _VERSION):
            yield outcome("unauthorised", looked.exchanges, subject=str(domain), **facts)
