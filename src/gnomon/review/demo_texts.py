"""The made-up people and texts of the demonstration. All numbers are filled in from the measured run.

Every family name means "example" in some language, so that nobody can be mistaken for somebody.
"""

from __future__ import annotations

from dataclasses import dataclass

# (account, name, organisation, sub-team or "" for the chair, role)
TEAM = (
    ("ines", "Inês Exemplo", "University of Example", "", "chair"),
    ("jan", "Jan Voorbeeld", "Example Registry", "Previous recommendations", "rapporteur"),
    ("aiko", "Aiko Tatoe", "Example Exchange", "Previous recommendations", "member"),
    ("mara", "Mara Beispiel", "Example Auditors", "Internal processes", "rapporteur"),
    ("kofi", "Kofi Mfano", "Example Regulators’ Forum", "Internal processes", "member"),
    ("nora", "Nora Eksempel", "Example Operators’ Group", "DNS", "rapporteur"),
    ("sana", "Sana Misal", "Example Institute of Technology", "DNS", "member"),
    ("ivo", "Ivo Primer", "Example Research Network", "Future", "rapporteur"),
    ("lin", "Lin Shili", "Example Cloud", "Future", "member"),
    ("tomas", "Tomáš Příklad", "Example Numbers Registry", "Transition", "rapporteur"),
    ("eva", "Eva Näide", "Example Civil Society", "Transition", "member"),
)

# (area, weeks ago, done, next, blocked, for the public)
UPDATES = (
    (1, 0, "Went through the first third of the previous recommendations and noted for each whether it was taken up.",
     "The second third; a first list of those that can be measured.",
     "Briefing papers for four of them are still missing; the request went out a week ago.",
     "We are comparing what was promised with what can be seen today."),
    (2, 0, "Agreed on the questions for the interviews about continuity plans.",
     "Two interviews, and a first reading of the exercise reports.", "",
     "Interviews about continuity planning begin next week."),
    (3, 0, "Looked at the whole survey together and drafted findings on delegations, signing and IPv6.",
     "Go through the zones with the worst verdicts one by one.", "",
     "The measurements are in, and every number on our pages can be traced to the packets behind it."),
    (4, 2, "Ran the failure drills for single operators and networks.",
     "Write down which single loss would be felt most.",
     "Waiting for a second routing table to compare with.", ""),
    (5, 0, "Listed the parties that share root zone management, and compared what parents and zones say.",
     "Collect the published service levels of the last five years.", "",
     "We look at whether changes to the root zone arrive everywhere, and how fast."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommendation with its SMART parts; the measure reads the finding's indicator."""

    text: str
    specific: str
    owner: str
    relevant: str
    direction: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A finding that can be drafted where its indicator was measured.

    In the statement `{share}` is the indicator as people read it, `{rest}` what is missing to the whole; where nothing
    is wrong `clean` takes its place, with `{all}` for the number of objects. Of `checks` the first that found trouble
    (or else the first at all) gives a second item of evidence. `state` is how far the finding is.
    """

    indicator: str
    area: int
    questions: tuple[int, ...]
    statement: str
    clean: str
    explanation: str
    properties: tuple[str, ...]
    checks: tuple[str, ...]
    author: str
    state: str
    advice: Advice | None = None


PLANS = (
    Plan(
        "i.lame", 3, (1, 5),
        "{share} of all pairs of zone and delegated server address give no authoritative answer for the zone.",
        "All {all} pairs of zone and delegated server address give authoritative answers for the zone.",
        "A resolver that picks an address without authority loses time, and where several of them come together it "
        "may get no answer at all. The owners of the zones often do not know: their own resolvers have learnt to "
        "avoid the address.\n\nAgainst it speaks that a single measurement from a single vantage can catch a passing "
        "fault; the number should be read again over some weeks.",
        ("reliability", "resiliency"), ("del.lame",), "nora", "approved",
        Advice(
            "Registries should tell the holders of delegations about addresses that do not serve the zone.",
            "Test every delegated address at least once a week, and write to the holder of the delegation when it "
            "failed in two tests in a row.",
            "Registry operators", "Delegations rot silently; the parent is the only place where that can be noticed "
            "for everybody.", "at-most", 1.0,
        ),
    ),
    Plan(
        "i.secure", 3, (1, 5),
        "{share} of the zones can be validated from the root’s trust anchor; {rest} cannot.",
        "All {all} zones can be validated from the root’s trust anchor.",
        "What cannot be validated can be forged on the way without anybody noticing. Zones that are signed but lack "
        "a DS at the parent have done the work without getting the protection.",
        ("security",), ("dnssec.chain-validates", "dnssec.signed", "ds.matches-dnskey"), "sana", "approved",
        Advice(
            "Every zone of the population should be reachable through an unbroken chain of trust.",
            "Sign the zones that are not signed, and publish the DS of those that are.",
            "Registry operators and DNS operators", "Validation protects all users of a name at once.",
            "at-least", 95.0,
        ),
    ),
    Plan(
        "i.v6-ns", 3, (5,),
        "{share} of the zones are served over IPv6 by two or more name servers.",
        "All {all} zones are served over IPv6 by two or more name servers.",
        "Where that is not so, a resolver with IPv6 only cannot look up names, or depends on a single server.",
        ("interoperability", "resiliency"), ("del.ns-count-v6", "net.v6-reachable"), "nora", "proposed",
        Advice(
            "At least two name servers of every zone should answer over IPv6.",
            "Give every name server an IPv6 address, publish it as glue where glue is needed, and watch it like the "
            "IPv4 address.",
            "DNS operators", "Networks without IPv4 are growing, and nothing in the DNS should stand in their way.",
            "at-least", 99.0,
        ),
    ),
    Plan(
        "i.operator-share", 4, (4,),
        "In {share} of the zones all name servers belong to one operator.",
        "None of the {all} zones rests on a single operator.",
        "If that operator fails, the zone fails, however many servers it has. The failure drill lists which zones go "
        "dark together.",
        ("resiliency",), ("res.as-diversity", "res.prefix-diversity", "del.ns-count-min"), "ivo", "proposed",
        Advice(
            "Zones that many others depend on should not rest on a single operator.",
            "Place at least one name server with a second operator that shares neither network nor control systems "
            "with the first.",
            "Holders of critical zones", "One mistake of one operator should never take a whole zone away.",
            "at-most", 50.0,
        ),
    ),
    Plan(
        "i.ds-alg", 4, (2,),
        "Parents vouch only for keys of recommended algorithms in {share} of the zones with a DS.",
        "In all {all} zones with a DS the parent vouches only for keys of recommended algorithms.",
        "Algorithms that are no longer recommended will be dropped by validators; a zone that rests on them will "
        "then be treated as if it were not signed.",
        ("security",), ("key.alg-allowed", "ds.digest-alg"), "lin", "draft",
    ),
    Plan(
        "i.pc-consistent", 5, (2,),
        "For {share} of the zones the parent and the zone itself name the same servers.",
        "For all {all} zones the parent and the zone itself name the same servers.",
        "Where they differ, part of the resolvers asks one set of servers and part the other. Changes that reached "
        "only one side show in this number first.",
        ("stability", "reliability"), ("del.parent-child-ns-match", "cons.ns-set"), "tomas", "proposed",
        Advice(
            "Parent and child should agree on the name servers of every zone.",
            "Compare both sides after each change and once a week, and correct the side that is behind.",
            "Registry operators and DNS operators", "A delegation is one fact that is stored in two places.",
            "at-least", 99.0,
        ),
    ),
    Plan(
        "i.unknown", 4, (5,),
        "{share} of all verdicts that apply could not be given: the evidence was not enough to judge.",
        "All {all} verdicts that apply could be given.",
        "What cannot be seen from outside should not become a recommendation that is measured from outside. The "
        "parts of the indicator say which rules this concerns most.",
        ("reliability",), (), "ivo", "draft",
    ),
)  # fmt: skip
