"""The pages of the checks, made from their docstrings, sentences, levels and peers."""

from __future__ import annotations

from itertools import groupby

from gnomon.base import printable
from gnomon.checks.peers import PEERS, tags_of
from gnomon.checks.profile import ZONE_CLASSES, Profile, load_profile
from gnomon.checks.registry import HEADINGS, Check, all_checks
from gnomon.checks.sentence import for_several
from gnomon.checks.unjudged import NEEDS

FAMILIES = {
    "addr": "Addresses of name servers",
    "app": "Certificates, the web and other services",
    "auto": "DNSSEC: automation between child and parent",
    "cons": "Consistency between servers",
    "del": "Delegation",
    "denial": "DNSSEC: denial of existence",
    "dnssec": "DNSSEC: status and chain",
    "ds": "DNSSEC: DS records",
    "edns": "EDNS",
    "exp": "Exposure",
    "hdr": "Header, question and message handling",
    "key": "DNSSEC: keys",
    "mail": "Mail",
    "net": "Connectivity and transport",
    "pqc": "DNSSEC: post-quantum readiness",
    "res": "Resilience and diversity",
    "resp": "Answers",
    "sig": "DNSSEC: signatures",
    "soa": "SOA record",
    "syn": "Names and record syntax",
    "ttl": "Lifetimes of records",
}

_INTRO = """# Checks

Every rule that Gnomon judges zones by, made from the source by `make docs`. A check is a pure function over recorded
answers; it yields outcomes with a code, the facts, and the exchanges that prove them. A profile gives each code a
level; the levels here are those of the default profile. R, T, A, K and S stand for the root, top-level domains, zones
under arpa, critical zones and all other zones.

| family | about | checks |
| --- | --- | --- |
"""

_NOT_JUDGED = """
## Not judged

These rules belong to the whole, but no survey of authoritative servers can judge them by itself. Each is *unknown* for
every zone, with the reason, so that nothing passes by silence.

| check | rule | why it is not judged |
| --- | --- | --- |
"""


def render_pages() -> dict[str, str]:
    """The Markdown pages by file name: one per family, and `README.md` as their index."""
    profile = load_profile("default")
    pages: dict[str, str] = {}
    index = _INTRO
    for family, group in groupby(all_checks().values(), key=lambda check: check.family):
        checks = list(group)
        title = FAMILIES[family]
        links = ", ".join(_link(check) for check in checks if not check.needs)
        index += f"| [`{family}`]({family}.md) | {title} | {links} |\n"
        sections = "\n".join(_section(check, profile) for check in checks)
        pages[f"{family}.md"] = f"# {title}\n\n{sections}"
    index += _NOT_JUDGED
    for check in all_checks().values():
        if check.needs:
            index += f"| {_link(check)} | {check.rule} | {NEEDS[check.needs]} |\n"
    return {"README.md": index, **pages}


def _link(check: Check) -> str:
    return f"[{check.id}]({check.family}.md#{check.id.replace('.', '')})"


def _section(check: Check, profile: Profile) -> str:
    properties = ", ".join(prop.value for prop in check.properties)
    lines = [f"## {check.id}", "", check.rule, ""]
    lines += [f"**{heading}:** {check.section(heading)}\n" for heading in HEADINGS]
    lines += [f"Version {check.version}; about {properties}; asks {check.asks}.", ""]
    lines += ["| outcome | level | sentence | peers |", "| --- | --- | --- | --- |"]
    for code, sentence in check.codes.items():
        full = f"{check.id}/{code}"
        lines.append(f"| `{code}` | {levels_of(full, profile)} | {printable(for_several(sentence))} | {_peers(full)} |")
    return "\n".join(lines) + "\n"


def levels_of(code: str, profile: Profile) -> str:
    """The level, and in brackets those of other classes of zones."""
    base = profile.levels[code].word
    other = [f"{c}: {profile.overrides[c][code].word}" for c in ZONE_CLASSES if code in profile.overrides.get(c, {})]
    return f"{base} ({', '.join(other)})" if other else base


def _peers(code: str) -> str:
    """The peers' messages: Zonemaster's are named without it, as most are its."""
    texts = []
    for peer, tags in tags_of(code).items():
        named = ", ".join(f"{tag.testcase} `{tag.tag}`" for tag in tags)
        texts.append(named if peer == "zonemaster" else f"{PEERS[peer]}: {named}")
    return "; ".join(texts)
