"""The verdicts on assessed zones as they are printed: for people, as JSON, one a line, or in Zonemaster's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from gnomon.checks.view import ZoneView
from gnomon.cli.terminal import console
from gnomon.evidence.subject import zone_text
from gnomon.judge import Judged, Verdict, explanations, sentence


@dataclass(frozen=True, slots=True)
class Assessed:
    """One zone's verdicts and the circumstances that go with them."""

    zone: str
    verdicts: Sequence[Verdict]
    addresses: int
    exchanges: int
    observed: str | None  # None: nothing was asked

    @classmethod
    def of(cls, view: ZoneView, found: Iterable[Judged]) -> Assessed:
        """What was found of one zone."""
        verdicts = [Verdict.from_row(one.row) for one in found]
        at = datetime.fromtimestamp(view.observed_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return cls(
            zone_text(view.zone), verdicts, len(view.addresses), len(view.exchanges), at if view.exchanges else None
        )


def print_all(zones: Iterable[Assessed], form: str, *, all_outcomes: bool = False, explain: bool = False) -> None:
    """Print to standard output as `form` says: text, json, jsonl or zonemaster."""
    if form == "text":
        from gnomon.cli.verdict_text import print_text  # needs rich, which is large

        out = console()
        for zone in zones:
            print_text(out, zone, all_outcomes=all_outcomes, explain=explain)
    elif form == "json":
        click.echo(json.dumps([{"zone": z.zone, "observed": z.observed, "verdicts": [plain(v) for v in z.verdicts]}
                               for z in zones], indent=1))  # fmt: skip
    elif form == "jsonl":
        for zone in zones:
            for verdict in zone.verdicts:
                click.echo(json.dumps(plain(verdict)))
    else:
        from gnomon.checks.peers import load_peers

        peers = load_peers("zonemaster")
        for zone in zones:
            for verdict in zone.verdicts:
                for peer in peers.get(f"{verdict.check_id}/{verdict.code}", ()):
                    line = {"zone": zone.zone, "testcase": peer.testcase, "tag": peer.tag, "level": peer.level}
                    click.echo(json.dumps({**line, "args": dict(verdict.args)}))


def plain(verdict: Verdict) -> dict[str, object]:
    """A verdict as JSON values, with its sentence."""
    return {
        "zone": verdict.zone,
        "check": verdict.check_id,
        "version": verdict.check_version,
        "code": verdict.code,
        "state": verdict.state,
        "level": verdict.level,
        "properties": list(verdict.properties),
        "subject": verdict.subject,
        "args": dict(verdict.args),
        "sentence": sentence(verdict),
        "explanation": explanations(verdict.zone, verdict.explanation),
        "evidence": list(verdict.evidence),
    }
