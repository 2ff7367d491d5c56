"""Verdicts: the outcomes of the checks on one zone with their levels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as quoted

from gnomon.checks.registry import all_checks
from gnomon.checks.sentence import fill

INTERNAL_ERROR = "internal-error"
_INTERNAL_SENTENCE = "The check failed on {zone} with an error of its own ({error}); please report this."


@dataclass(frozen=True, slots=True)
class Verdict:
    """One outcome of one check on one zone.

    `zone` is in lower case with final dot, `subject` empty when the zone itself is meant. `state` and `level` are
    words; `args` are JSON values; `evidence` holds full references (`<segment root>:<row>`).
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

    @property
    def args_json(self) -> str:
        """The args in one fixed form."""
        return canonical(self.args)

    @property
    def row(self) -> str:
        """The verdict in one fixed form, for digests and comparison; also its place among those of its zone."""
        return row_of(self, self.args_json)

    @classmethod
    def from_row(cls, text: str) -> Verdict:
        """What `row` gave.

        Raises:
            ValueError, TypeError: it is something else.
        """
        zone, check_id, subject, code, version, properties, state, level, args, evidence = json.loads(text)
        read = cls(zone, check_id, version, subject, tuple(properties), code, state, level, dict(args), tuple(evidence))
        if read.row != text:
            raise ValueError("a verdict is not in its one form")
        return read


canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode
"""JSON in one fixed form."""


def row_of(verdict: Verdict, args_json: str) -> str:
    """`Verdict.row` of a verdict whose args in JSON are at hand: a canonical JSON array, made from its parts."""
    v = verdict
    return (
        f"[{quoted(v.zone)},{quoted(v.check_id)},{quoted(v.subject)},{quoted(v.code)},{v.check_version},"
        f'{_plain_texts(v.properties)},"{v.state}","{v.level}",{args_json},{_plain_texts(v.evidence)}]'
    )


def _plain_texts(texts: tuple[str, ...]) -> str:
    """A JSON array of texts without a character that JSON escapes."""
    return '["' + '","'.join(texts) + '"]' if texts else "[]"


def sentence(verdict: Verdict) -> str:
    """The verdict as one sentence, safe to print."""
    return sentence_for(verdict.check_id, verdict.code, verdict.zone, verdict.args)


def sentence_for(check_id: str, code: str, zone: str, args: Mapping[str, object]) -> str:
    """The sentence of a stored verdict; its code alone if this version of Gnomon does not know it any more."""
    check = all_checks().get(check_id)
    template = _INTERNAL_SENTENCE if code == INTERNAL_ERROR else check.codes.get(code) if check else None
    try:
        return fill(template, zone, args) if template else f"{check_id}/{code}"
    except (KeyError, IndexError):
        return f"{check_id}/{code}"
