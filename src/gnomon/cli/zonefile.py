"""`gnomon zonefile`: judge a whole zone file, or compare two."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from gnomon.base import InputError, Level, Name
from gnomon.zonefile import AuditReport, LoadedZone, audit, changes, load_zone

_LEVELS = [level.word for level in sorted(Level, reverse=True) if level >= Level.INFO]
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_origin_option = click.option("--origin", metavar="NAME", help="The zone's name, if the file does not say it.")

_include_option = click.option("--include", is_flag=True, help="Follow $INCLUDE, within the folder of the file.")


@click.group("zonefile")
def command() -> None:
    """Judge a whole zone file, or compare two versions of one."""


@command.command("audit")
@click.argument("file", type=_FILE)
@_origin_option
@_include_option
@click.option("--at", metavar="TIME", help="Validate signatures at this time (ISO 8601, UTC); default: now.")
@click.option("--format", "form", type=click.Choice(("text", "json", "jsonl")), default="text", show_default=True)
@click.option(
    "--fail-level", type=click.Choice(_LEVELS), default="error", show_default=True, help="Exit 1 at this level."
)
def audit_command(file: Path, origin: str | None, include: bool, at: str | None, form: str, fail_level: str) -> int:
    """Check all of the zone in FILE (a master file, plain or .gz), on all cores.

    Syntax, apex, delegations and glue, DS, every signature, the NSEC or NSEC3 chain, and the ZONEMD digest.
    """
    loaded = load_zone(file, Name.from_text(origin) if origin else None, includes=include)
    report = audit(loaded, _unix_s(at))
    if form == "json":
        click.echo(json.dumps(asdict(report), indent=1))
    elif form == "jsonl":
        for verdict in report.verdicts:
            click.echo(json.dumps(asdict(verdict)))
    else:
        _print(report, loaded)
    return 1 if report.worst >= Level.from_word(fail_level) else 0


@command.command("diff")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@_origin_option
@_include_option
def diff_command(old: Path, new: Path, origin: str | None, include: bool) -> int:
    """List the records that only OLD (-) or only NEW (+) has. Exit status 1 if there are any.

    Records that signing makes anew by itself (RRSIG, NSEC, NSEC3, NSEC3PARAM, ZONEMD) are only counted.
    """
    name = Name.from_text(origin) if origin else None
    both = (_complete(load_zone(path, name, includes=include)) for path in (old, new))
    found = changes(*both)
    for change in found:
        click.echo(str(change))
    click.echo(
        f"{found.removed:,} records removed, {found.added:,} added; "
        f"{found.upkeep:,} further changes of records that signing makes"
    )
    return 1 if found.removed or found.added or found.upkeep else 0


def _complete(loaded: LoadedZone) -> LoadedZone:
    """A comparison of what could not be read whole would mislead."""
    if loaded.faults:
        more = f" (and {len(loaded.faults) - 1} more places)" if len(loaded.faults) > 1 else ""
        raise InputError(loaded.faults[0] + more)
    return loaded


def _unix_s(text: str | None) -> int:
    if text is None:
        return int(time.time())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--at {text!r} is no time; write it as 2026-08-01T12:00:00Z") from None
    if not 1970 < moment.year < 2106:
        raise InputError(f"--at {text!r} is outside the years 1971 to 2105 that signatures can speak of")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _print(report: AuditReport, loaded: LoadedZone) -> None:
    numbers = report.summary
    click.echo(f"{report.zone}  serial {numbers['serial']}, judged at {_text(report.at)}")
    click.echo(
        f"{numbers['records']:,} records, {numbers['names']:,} names, {numbers['delegations']:,} delegations "
        f"({numbers['signed_delegations']:,} signed)"
    )
    if numbers["first_expiration"] is not None:
        signed = ", ".join(str(algorithm) for algorithm in _strings(numbers["algorithms"]))
        click.echo(
            f"signed with {signed}; all valid signatures together hold from {_text(numbers['last_inception'])} "
            f"to {_text(numbers['first_expiration'])}"
        )
    click.echo()
    for verdict in report.verdicts:
        if Level.from_word(verdict.level) != Level.NOT_APPLICABLE:
            click.echo(f"{verdict.level:9} {verdict.check_id}/{verdict.code}\n          {verdict.sentence}")
    for fault in loaded.faults:
        click.echo(fault, err=True)
    click.echo(f"\nVerdict: {report.worst.word}")


def _strings(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(unix_s: object) -> str:
    return datetime.fromtimestamp(int(str(unix_s)), UTC).strftime("%Y-%m-%d %H:%M UTC")
