"""The DNSKEY RRset as a whole: revoked keys, equal key tags, how many, what they are for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gnomon.base import Address
from gnomon.base.codes import DNSKEY
from gnomon.checks.each import held
from gnomon.checks.entry import NO_DS, ds_records, entry_keys, without_ds
from gnomon.checks.inventory import apex
from gnomon.checks.outcome import Outcome, not_applicable, outcome, unknown
from gnomon.checks.registry import IOP, SEC, STA, check
from gnomon.checks.replies import UNHEARD_EDNS, UNSIGNED, hear, labels, signed_servers, unheard, without_keys
from gnomon.checks.signed import Key
from gnomon.checks.unjudged import unjudged
from gnomon.checks.validation import SignatureState, label_of
from gnomon.checks.view import ZoneView

_CODES = {**UNSIGNED, **UNHEARD_EDNS}
_SIGN_ASKS = ("Q4", "Q2", "Q3", "Q5", "Q6")


@check(
    "key.at-apex",
    properties=(IOP,),
    asked=("Q4",),
    codes={
        "at-apex": "Every DNSKEY that the servers of {zone} gave is at the apex.",
        "elsewhere": "{servers} {servers:answers|answer} the question for the DNSKEY of {zone} with one of {owners}.",
        **_CODES,
    },
)
def at_apex(view: ZoneView) -> Iterator[Outcome]:
    """DNSKEY records stand at the apex only.

    Why: a DNSKEY elsewhere is no key of the zone, and who put it there meant something that does not happen.
    Rule: error for a DNSKEY record of another name in the answer to the question for those of the zone. Other names
        are not asked for DNSKEY; `gnomon zonefile audit` looks at all of them.
    Source: RFC 4035 section 2.1.
    Do: move the record to the apex of its zone, or remove it.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    strays = {a.address: [r.owner for r in a.message.answer if r.rtype == DNSKEY] for a in heard.answers}
    at = [address for address, owners in strays.items() if any(owner != view.zone for owner in owners)]
    shown = heard.shown
    if at:
        owners = tuple(sorted({str(owner) for address in at for owner in strays[address] if owner != view.zone}))
        yield outcome("elsewhere", shown, servers=labels(view, at), owners=owners)
    elif heard.answers:
        yield outcome("at-apex", shown)
    yield from unheard(view, heard, "Q4")


@check(
    "key.revoked-signs",
    properties=(SEC,),
    asked=_SIGN_ASKS,
    codes={
        "signs-keys": "The revoked {keys:key|keys} of {zone} {keys:signs|sign} the DNSKEY record set and {keys:is|are} "
        "not needed for anything: {keys}.",
        "not-signing": "The key {key} of {zone} is revoked, but does not sign the DNSKEY record set itself.",
        "only-signer": "Only the revoked key {key} signs {rrsets}; validators must not use it for {rrsets:this|these}.",
        "none-revoked": "{zone} has no revoked key.",
        **_CODES,
    },
)
def revoked_signs(view: ZoneView) -> Iterator[Outcome]:
    """A revoked key signs the DNSKEY RRset, and nothing depends on it.

    Why: only a revocation that the key itself has signed makes validators drop it as trust anchor; for all other
        data they must not use it any more.
    Rule: error for a key with the REVOKE flag that has no valid signature over the DNSKEY RRset at a server that
        publishes it, and for a record set that is validly signed by revoked keys alone.
    Source: RFC 5011 sections 2.1 and 6.
    Do: sign the DNSKEY RRset with the revoked key until it is removed, and everything else with another.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    shown, inventory, clean = heard.shown, view.chain().inventory, True
    published = view.keys()
    revoked = [key for key in published if key.dnskey.is_revoked]
    for key in revoked:
        sets = [apex(inventory, view.zone, DNSKEY, address) for address in key.addresses]
        if any(one and key.rdata not in {s.key.rdata for s in one.valid if s.key} for one in sets):
            clean = False
            yield outcome("not-signing", shown, subject=f"key {label_of(key)}", key=label_of(key))
    lonely: dict[str, list[str]] = {}
    for one in held(view) if revoked else ():
        if one.examined.is_by_revoked_only:
            lonely.setdefault(one.examined.valid[0].label, []).append(one.label)
    for text, rrsets in sorted(lonely.items()):
        clean = False
        yield outcome("only-signer", shown, subject=f"key {text}", key=text, rrsets=tuple(dict.fromkeys(rrsets)))
    if not revoked:
        yield not_applicable("none-revoked", shown)
    elif clean:
        yield outcome("signs-keys", shown, keys=tuple(map(label_of, revoked)))
    yield from unheard(view, heard, "Q4")


@check(
    "key.tag-collision",
    properties=(IOP, SEC),
    asked=("Q4",),
    codes={
        "distinct": "The keys of {zone} have different key tags.",
        "two": "Two keys of {zone} at {servers} are both called {key}.",
        "three": "{count} keys of {zone} at {servers} are all called {key}; resolvers try two of them.",
        **_CODES,
    },
)
def tag_collision(view: ZoneView) -> Iterator[Outcome]:
    """No two keys have the same key tag and algorithm.

    Why: a signature names its key by these; where several fit, validators try one after the other, and stop soon.
    Rule: warning for two keys of one tag and algorithm at a server, error for three or more.
    Source: CVE-2023-50387 (KeyTrap); RFC 4034 appendix B; the limits of PowerDNS Recursor and BIND.
    Do: replace one of the keys by a newly generated one.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    shown, found = heard.shown, dict[str, dict[Address, int]]()
    texts = list(map(label_of, view.keys()))
    for address, keys in view.dnskeys().items() if len({*texts}) < len(texts) else ():
        for text, number in Counter(map(label_of, keys)).items():
            if number > 1:
                found.setdefault(text, {})[address] = number
    for text, at in sorted(found.items()):
        most, servers = max(at.values()), labels(view, list(at))
        code = "two" if most == 2 else "three"
        yield outcome(code, shown, subject=f"key {text}", key=text, count=most, servers=servers)
    if not found:
        yield outcome("distinct", shown)
    yield from unheard(view, heard, "Q4")


@check(
    "key.count",
    properties=(IOP,),
    asked=("Q4",),
    codes={
        "few": "{zone} has {count} {count:key|keys}.",
        "over-6": "{server} has {count} keys of {zone}; four are enough during any rollover.",
        "over-10": "{server} has {count} keys of {zone}: its DNSKEY answer is large, and validation costly.",
        **_CODES,
    },
)
def count(view: ZoneView) -> Iterator[Outcome]:
    """The zone has few keys.

    Why: every key makes the DNSKEY answer larger and validation dearer, and has to be kept safe.
    Rule: by the server with the most: notice over 6 keys, warning over 10.
    Source: RFC 6781 section 4; CVE-2023-50387; the numbers are Gnomon's proposal.
    Do: remove the keys of finished rollovers.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    address, keys = max(view.dnskeys().items(), key=lambda item: len(item[1]))
    code = "over-10" if len(keys) > 10 else "over-6" if len(keys) > 6 else "few"
    yield outcome(code, view.asked("Q4", address), server=view.server_label(address), count=len(keys))
    yield from unheard(view, heard, "Q4")


@check(
    "key.unused",
    properties=(STA,),
    asked=_SIGN_ASKS,
    codes={
        "all-sign": "Every key of {zone} signs something that was seen.",
        "idle": "{keys} of {zone} {keys:signs|sign} nothing that was seen; surveys at several times would show for how "
        "long.",
        **_CODES,
    },
)
def unused(view: ZoneView) -> Iterator[Outcome]:
    """Every key signs something, apart from the short time before and after a rollover.

    Why: a key that is published for nothing makes answers larger, and is one more secret to keep.
    Rule: notice for a key that signs nothing for more than 30 days. One survey sees only that it signs nothing now:
        unknown then. Revoked keys are key.revoked-signs' matter.
    Source: RFC 6781 section 4.1; the 30 days are Gnomon's proposal.
    Do: remove the key, unless it waits for an emergency.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    heard = hear(view, "Q4")
    signing, published = _signing(view), view.keys()
    idle = [k for k in published if not {k.rdata, label_of(k)} & signing and not k.dnskey.is_revoked]
    shown = heard.shown
    if idle:
        yield unknown("idle", shown, keys=tuple(map(label_of, idle)))
    else:
        yield outcome("all-sign", shown)
    yield from unheard(view, heard, "Q4")


def _signing(view: ZoneView) -> set[bytes | str]:
    """The keys that any signature names that was seen, valid now or once; by label where the server lacks the key."""
    seen = [s for one in held(view) for s in one.examined.signatures if s.state is not SignatureState.INVALID]
    return {s.label if s.key is None else s.key.rdata for s in seen}


@check(
    "key.sep-present",
    properties=(IOP,),
    asked=("Q4", "P2"),
    codes={
        "present": "{zone} has {keys:a key|keys} with the SEP flag: {keys}.",
        "none": "{zone} has a DS, but no key with the SEP flag.",
        "told-elsewhere": "No key of {zone} has the SEP flag, not even the one that its DS names (see "
        "ds.key-zone-flag).",
        **NO_DS,
        **_CODES,
    },
)
def sep_present(view: ZoneView) -> Iterator[Outcome]:
    """A zone with a DS has a key that is marked as secure entry point.

    Why: registries and operators tell by the SEP flag which key the DS is to be made of; without it they choose the
        wrong one, or none.
    Rule: notice if no key has the SEP flag though there is a DS. If the DS names one of the keys, that is
        ds.key-zone-flag's finding. Validators do not look at the flag.
    Source: RFC 4034 section 2.1.1; RFC 6840 section 6.2.
    Do: set the flag on the next key that signs the DNSKEY RRset.
    """
    if not signed_servers(view):
        yield from without_keys(view)
        return
    if not ds_records(view):
        yield from without_ds(view)
        return
    heard, keys = hear(view, "Q4"), view.keys()
    shown = heard.shown
    marked: list[Key] = [key for key in keys if key.dnskey.is_sep]
    if marked:
        yield outcome("present", shown, keys=tuple(map(label_of, marked)))
    elif entry_keys(view, keys):
        yield unknown("told-elsewhere", shown)
    else:
        yield outcome("none", shown)
    yield from unheard(view, heard, "Q4")


@unjudged("key.age", properties=(SEC,), needs="history")
def age() -> None:
    """No key is used for many years.

    Why: the longer a key is used, the longer was the time to steal or break it, and the rarer the practice of rolling.
    Rule: notice for a key signing key first seen more than 5 years ago; warning for a zone signing key of 1024 bits
        first seen more than 90 days ago.
    Source: NIST SP 800-81r3; RFC 6781 section 3.1; the numbers are Gnomon's proposal.
    Do: roll the key, and do so from time to time.
    """


@unjudged("key.shared-across-zones", properties=(SEC, STA), needs="other-zones")
def shared_across_zones() -> None:
    """A key signs the zones of one operator only.

    Why: one stolen key then forges all of them, and who holds it for one zone can sign the others.
    Rule: notice if zones of different operators or registrants have the same key.
    Source: Chung 2017 ("A Longitudinal, End-to-End View of the DNSSEC Ecosystem").
    Do: use a key of its own for each zone.
    """
