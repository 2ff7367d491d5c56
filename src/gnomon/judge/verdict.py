"""Verdicts: the outcomes of the checks on one zone with their levels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

from gnomon._core import Judged as Judged
from gnomon._core import canonical
from gnomon.base import printable
from gnomon.base.words import tr
from gnomon.checks.registry import all_checks
from gnomon.checks.sentence import fill

INTERNAL_ERROR = "internal-error"
NOTHING_SEEN = "nothing-seen"
# What the judge says itself, of any check.
SENTENCES = {
    INTERNAL_ERROR: "The check failed on {zone} with an error of its own ({error}); please report this.",
    NOTHING_SEEN: "Nothing was seen of {zone} that this could be judged by.",
}


class Note(NamedTuple):
    """One rule of `gnomon.judge.weigh` that bore on a level, with its facts as JSON values."""

    rule: str
    facts: Mapping[str, object]


EXPLANATIONS = {
    "class": "{level} is the level for zones of class {zone_class}; for others it is {otherwise}.",
    "masked": "Lowered from {level}: {healthy} other addresses are well, in two ASes or more of each IP version.",
    "as-seen": "As seen in this run, by {attempts} {attempts:attempt|attempts} within {over_s} s; it counts as lasting "
    "after {wanted} {wanted:attempt|attempts} over {wanted_s} s.",
    "not-lasting": "Would be {level}, but was seen in {attempts} {attempts:attempt|attempts} within {over_s} s only; "
    "the profile asks for {wanted} {wanted:attempt|attempts} over {wanted_s} s.",
    "echo": "Would be {level}, but follows from {cause}, which is reported by itself.",
}
_LEVELS = ("level", "otherwise")  # the facts among these that are words of `Level`


@dataclass(frozen=True, slots=True)
class Verdict:
    """One outcome of one check on one zone.

    `zone` is in lower case with final dot, `subject` empty when the zone itself is meant. `state` and `level` are
    words; `args` are JSON values; `evidence` holds full references (`<segment root>:<row>`). `explanation` says what
    the level comes from where it is not the one that every zone has: rules with their facts, see `explanations`.
    """

    zone: str
    check_id: str
    check_version: int
    subject: str
    properties: tuple[str, ...]
    code: str
    state: str
    level: str
    args: Mapping[str, object]
    evidence: tuple[str, ...]
    explanation: tuple[Note, ...] = ()

    @property
    def args_json(self) -> str:
        """The args in one fixed form."""
        return canonical(self.args)

    @property
    def row(self) -> str:
        """The verdict in one fixed form, for digests and comparison; also its place among those of its zone."""
        kind = kind_of(self.check_id, self.check_version, self.properties, self.code, self.state, self.level)
        outcome = (self.code, self.args, self.evidence, self.state, self.subject)
        return Judged(self.zone, kind, outcome, self.explanation).row

    @classmethod
    def of(cls, judged: Judged) -> Verdict:
        """The whole of a verdict that is taken apart."""
        kind, outcome = judged.kind, judged.outcome
        args = {name: list(value) if isinstance(value, tuple) else value for name, value in outcome.args.items()}
        return cls(
            judged.zone, kind.check_id, kind.check_version, outcome.subject, kind.properties, kind.code, kind.state,
            kind.level, args, outcome.evidence, judged.explanation,
        )  # fmt: skip

    @classmethod
    def from_row(cls, text: str) -> Verdict:
        """What `row` gave.

        Raises:
            ValueError, TypeError: it is something else.
        """
        zone, check_id, subject, code, version, properties, state, level, args, evidence, why = json.loads(text)
        read = cls(
            zone, check_id, version, subject, tuple(properties), code, state, level, dict(args), tuple(evidence),
            tuple([Note(rule, dict(facts)) for rule, facts in why]),
        )  # fmt: skip
        if read.row != text:
            raise ValueError("a verdict is not in its one form")
        return read


class Kind(NamedTuple):
    """What the verdicts of one check with one code, state and level have in common.

    `before` and `after` are what a row has of it on either side of the subject.
    """

    check_id: str
    check_version: int
    properties: tuple[str, ...]
    code: str
    state: str
    level: str
    before: str
    after: str


@lru_cache(maxsize=1 << 14)
def kind_of(check_id: str, version: int, properties: tuple[str, ...], code: str, state: str, level: str) -> Kind:
    """The kind with these fields; there are some thousand of them, and far more verdicts."""
    after = f',{quoted(code)},{version},{canonical(properties)},"{state}","{level}",'
    return Kind(check_id, version, properties, code, state, level, f",{quoted(check_id)},", after)


def sentence(verdict: Verdict) -> str:
    """The verdict as one sentence, safe to print."""
    return sentence_for(verdict.check_id, verdict.code, verdict.zone, verdict.args)


def explanations(zone: str, notes: Iterable[tuple[str, Mapping[str, object]]]) -> list[str]:
    """What a level comes from (`Verdict.explanation`), a sentence for each rule, safe to print."""
    return [_explanation(zone, rule, facts) for rule, facts in notes]


def _explanation(zone: str, rule: str, facts: Mapping[str, object]) -> str:
    levels = {name: tr(str(facts[name])) for name in _LEVELS if name in facts}
    try:
        return fill(EXPLANATIONS[rule], zone, {**facts, **levels})
    except KeyError:
        return printable(rule)


def sentence_for(check_id: str, code: str, zone: str, args: Mapping[str, object]) -> str:
    """The sentence of a stored verdict; its code alone if this version of Gnomon does not know it any more."""
    check = all_checks().get(check_id)
    template = SENTENCES.get(code) or (check.codes.get(code) if check else None)
    try:
        return fill(template, zone, args) if template else f"{check_id}/{code}"
    except (KeyError, IndexError):
        return f"{check_id}/{code}"
