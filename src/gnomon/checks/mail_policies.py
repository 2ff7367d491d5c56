"""Mail: the policies in the zone's TXT records that tell receivers what to believe, and senders how to deliver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gnomon.base import Name, printable
from gnomon.base.codes import TXT
from gnomon.base.once import once
from gnomon.checks.lookup import Lookup, look_up
from gnomon.checks.mail import mx_hosts, mx_known, mx_shown, spf_policy
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.read import read_all
from gnomon.checks.registry import IOP, SEC, check
from gnomon.checks.spf_tree import MOST_LOOKUPS, MOST_VOID, SpfTree, evaluate
from gnomon.checks.view import ZoneView
from gnomon.wire import rdata, spf, tags

_NO_POLICY = {"no-policy": "{zone} has no single valid SPF record (see mail.spf-single)."}
_NOT_KNOWN = {"not-known": "The TXT records of {name} are not known: no usable answer, or not asked."}
_ID_LETTERS = 32

Tags = Mapping[str, str]


@once
def _spf(view: ZoneView) -> SpfTree | None:
    policy = spf_policy(view)
    return evaluate(view, policy) if policy is not None else None


@check(
    "mail.spf-limits",
    properties=(IOP,),
    asked=("Z1T", "Z2", "H1", "H2", "H5"),
    version=2,
    codes={
        "within": "The SPF record of {zone} costs receivers {count} DNS {count:look-up|look-ups}; {most} are allowed.",
        "too-many": "The SPF record of {zone} costs receivers {count} DNS {count:look-up|look-ups}; after {most} they "
        "give up.",
        "broken": "The SPF record of {zone} makes receivers give up at {term}: that domain {reason}.",
        "nowhere": "The SPF record of {zone} names {domain}, which does not exist ({term}).",
        "void": "The SPF record of {zone} names "
        "{hosts:a host that does not exist or has no address|hosts that do not exist or have no address}: {hosts}.",
        "incomplete": "Not all domains in the SPF record of {zone} were looked up: {left}.",
        **_NO_POLICY,
    },
)
def spf_limits(view: ZoneView) -> Iterator[Outcome]:
    """Receivers can evaluate the SPF record within its limits.

    Why: receivers that run into a limit or a broken part treat the zone's mail as if it had no policy, or reject it.
    Rule: error for more than 10 terms that cost a look-up (include, a, mx, ptr, exists, redirect), those of included
        records counted too; error if an included domain does not exist, or has not exactly one valid SPF record;
        warning if more than 2 hosts have no address. Terms with macros are counted but not followed.
    Source: RFC 7208 sections 4.6.4, 5.2 and 6.1.
    Do: remove what is not used any more; name networks (ip4, ip6) in place of hosts.
    """
    tree = _spf(view)
    if tree is None:
        yield not_applicable("no-policy", view.asked("Z1T"))
        return
    shown, clean = [*view.asked("Z1T"), *tree.exchanges], True
    if tree.lookups > MOST_LOOKUPS:
        clean = False
        yield outcome("too-many", shown, count=tree.lookups, most=MOST_LOOKUPS)
    absent = dict(tree.absent)
    for term, reason in dict.fromkeys(tree.broken):
        clean = False
        if term in absent:
            name = printable(term)
            yield outcome("nowhere", shown, subject=str(absent[term]), domain=str(absent[term]), term=name)
        else:
            yield outcome("broken", shown, subject=printable(term), term=printable(term), reason=reason)
    if len(tree.void) > MOST_VOID:
        clean = False
        yield outcome("void", shown, hosts=tuple(map(str, dict.fromkeys(tree.void))))
    left = tree.left + (tree.hosts_left if len(tree.void + tree.hosts_left) > MOST_VOID >= len(tree.void) else [])
    if left:
        yield unknown("incomplete", shown, left=tuple(map(str, dict.fromkeys(left))))
    elif clean:
        yield outcome("within", shown, count=tree.lookups, most=MOST_LOOKUPS)


@check(
    "mail.spf-policy",
    properties=(SEC,),
    asked=("Z1T", "Z2", "H5"),
    version=2,
    codes={
        "strict": "The SPF record of {zone} ends in {ending}.",
        "anyone": "The SPF record of {zone} lets anyone send mail in its name: {terms}.",
        "neutral": "The SPF record of {zone} has no opinion on hosts it does not name: it ends in ?all or without all.",
        "incomplete": "Not all domains in the SPF record of {zone} were looked up: {left}.",
        **_NO_POLICY,
    },
)
def spf_policy_ends(view: ZoneView) -> Iterator[Outcome]:
    """The SPF record disowns hosts that it does not name.

    Why: a record that lets everybody pass, or has no opinion, does not keep anyone from sending in the zone's name.
    Rule: warning for "+all" or a prefix length of 0, in an included record too; notice if the record ends in "?all"
        or without "all" and redirect.
    Source: RFC 7208 sections 5.1 and 10.1.2; Internet.nl, SPF policy.
    Do: end the record in "-all" or "~all".
    """
    tree = _spf(view)
    if tree is None:
        yield not_applicable("no-policy", view.asked("Z1T"))
        return
    shown = [*view.asked("Z1T"), *tree.exchanges]
    if tree.anyone:
        yield outcome("anyone", shown, terms=tuple(printable(term) for term in dict.fromkeys(tree.anyone)))
    elif tree.ending in ("-", "~"):
        yield outcome("strict", shown, ending=f"{tree.ending}all")
    elif tree.left:
        yield unknown("incomplete", shown, left=tuple(map(str, dict.fromkeys(tree.left))))
    else:
        yield outcome("neutral", shown)


def _policies(view: ZoneView, front: bytes, version: str) -> tuple[Lookup, tuple[str, ...]]:
    """The look-up of a well-known name below the zone, and the texts there that are policies of that version."""
    found = look_up(view, Name(front + view.zone.wire), TXT)
    return found, tags.policies(read_all(rdata.txt, found.rdatas), version)


@check(
    "mail.dkim-node",
    properties=(SEC,),
    asked=("Z2", "Z1T", "Z1M"),
    codes={
        "node": "{name} exists: there may be DKIM keys below it.",
        "no-node": "{name} does not exist, so {zone} has no DKIM key, though it says that it sends mail.",
        "no-mail": "{zone} neither takes mail nor says that it sends any.",
        **_NOT_KNOWN,
    },
)
def dkim_node(view: ZoneView) -> Iterator[Outcome]:
    """A zone that sends mail has DKIM keys.

    Why: mail without a signature of its domain counts as doubtful, and fails DMARC once it is forwarded.
    Rule: keys are found by the selector in each mail, which nobody can guess; but all lie below _domainkey. Notice if
        that name does not exist though the zone has MX records or an SPF record that lets hosts send.
    Source: RFC 6376 section 3.6.2; RFC 8020.
    Do: have the mail hosts sign, and publish their keys below _domainkey.
    """
    name = Name(b"\x0a_domainkey" + view.zone.wire)
    found, policy = look_up(view, name, TXT), spf_policy(view)
    sends = bool(mx_hosts(view)) or (policy is not None and not spf.is_null(policy))
    if not sends:
        yield not_applicable("no-mail", mx_shown(view))
    elif not found.is_known:
        yield unknown("not-known", found.exchanges, name=str(name))
    else:
        yield outcome("no-node" if found.state == "no-name" else "node", found.exchanges, name=str(name))


_OF_SENDERS = {
    "no-hosts": "{zone} has no MX record that names a host.",
    "several": "{name} has more than one such record, which counts as none.",
    "syntax": "The record at {name} is wrong: {wrong}.",
}


@check(
    "mail.mta-sts",
    properties=(SEC,),
    asked=("Z2", "Z1M"),
    codes={
        "announced": "{zone} announces an MTA-STS policy with the id {id}; the policy itself was not fetched.",
        "none": "{zone} announces no MTA-STS policy.",
        **_OF_SENDERS,
        **_NOT_KNOWN,
    },
)
def mta_sts(view: ZoneView) -> Iterator[Outcome]:
    """The announcement of an MTA-STS policy, if there is one, is valid.

    Why: senders that see it deliver only to hosts that prove who they are; a wrong one is ignored.
    Rule: warning for more than one record, or one without a valid id; none is reported. The policy itself lies on a
        web server and is not fetched: whether it names the MX hosts is not judged.
    Source: RFC 8461 section 3.1.
    Do: publish one TXT record "v=STSv1; id=<letters and digits>;", with a new id for each change of the policy.
    """
    yield from _of_senders(view, b"\x08_mta-sts", "STSv1", ("announced", "id"), _wrong_with_sts)


@check(
    "mail.tls-rpt",
    properties=(SEC,),
    asked=("Z2", "Z1M"),
    codes={
        "asked-for": "{zone} asks senders for reports about TLS, sent to {rua}.",
        "none": "{zone} asks for no reports about TLS.",
        **_OF_SENDERS,
        **_NOT_KNOWN,
    },
)
def tls_rpt(view: ZoneView) -> Iterator[Outcome]:
    """The wish for TLS reports, if there is one, is valid.

    Why: the reports show failed deliveries that the receiver would never hear of; a wrong record brings none.
    Rule: notice for more than one record, or one without a valid address for reports; none is reported.
    Source: RFC 8460 section 3.
    Do: publish one TXT record "v=TLSRPTv1; rua=mailto:<address>".
    """
    yield from _of_senders(view, b"\x05_smtp\x04_tls", "TLSRPTv1", ("asked-for", "rua"), _wrong_with_rpt)


def _of_senders(
    view: ZoneView, front: bytes, version: str, good: tuple[str, str], wrong_with: Callable[[Tags], str]
) -> Iterator[Outcome]:
    """Judge the one record for senders; `good` is the code of a valid one, and the tag that its sentence shows."""
    found, policies = _policies(view, front, version)
    name = str(found.asked)
    if not mx_hosts(view) and mx_known(view):
        yield not_applicable("no-hosts", mx_shown(view))
    elif not found.is_known:
        yield unknown("not-known", found.exchanges, name=name)
    elif len(policies) > 1:
        yield outcome("several", found.exchanges, name=name)
    elif not policies:
        yield outcome("none", found.exchanges)
    else:
        read = dict(tags.read(policies[0]) or ())
        wrong = wrong_with(read) if read else "it is no list of tag=value"
        if wrong:
            yield outcome("syntax", found.exchanges, name=name, wrong=wrong)
        else:
            code, tag = good
            yield outcome(code, found.exchanges, **{tag: read[tag]})


def _wrong_with_sts(read: Tags) -> str:
    policy_id = read.get("id", "")
    if not policy_id:
        return "it has no id"
    is_id = policy_id.isascii() and policy_id.isalnum() and len(policy_id) <= _ID_LETTERS
    return "" if is_id else "its id is not 1 to 32 letters and digits"


def _wrong_with_rpt(read: Tags) -> str:
    uris = [uri.strip() for uri in read.get("rua", "").split(",")]
    is_valid = all(uri.lower().startswith("https://") or tags.mail_domains(uri) for uri in uris)
    return "" if is_valid else "it has no rua with mailto or https addresses"
