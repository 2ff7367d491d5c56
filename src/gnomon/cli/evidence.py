"""`gnomon evidence`: look into recorded evidence; copy, export, import and withhold it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gnomon.base import InputError, Name, printable
from gnomon.capture.files import WRITERS, import_capture
from gnomon.capture.heard import Skipped
from gnomon.cli.terminal import counted, progress_bar, say
from gnomon.evidence import EvidenceDir, Exchange, durable, verify, zone_subject
from gnomon.evidence.mirror import pull, push
from gnomon.evidence.withheld import withhold
from gnomon.wire import Message
from gnomon.wire.presentation import dig, hexdump

_EVIDENCE = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group("evidence")
def command() -> None:
    """Look into recorded evidence; copy, export, import and withhold it."""


@command.command("show")
@click.argument("evidence", type=_EVIDENCE)
@click.argument("reference", metavar="SEGMENT:ROW", nargs=-1, required=True)
def show(evidence: Path, reference: tuple[str, ...]) -> None:
    """Print the exchanges that a verdict or report cites, as dig would, with their octets."""
    opened = EvidenceDir.open(evidence)
    for found in [opened.exchange(text) for text in reference]:
        click.echo(show_exchange(found))


@command.command("withhold")
@click.argument("evidence", type=_EVIDENCE)
@click.argument("reference", metavar="[SEGMENT:ROW]...", nargs=-1)
@click.option("--zone", help="All exchanges about this zone.")
@click.option("--reason", required=True, help="Why; it stays in the record.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def withhold_(evidence: Path, reference: tuple[str, ...], zone: str | None, reason: str, yes: bool) -> None:
    """Take exchanges out of the run in EVIDENCE for good: their query, response, times and names.

    Their place and hash stay, so every proof about the other exchanges still holds. Copies elsewhere keep them until
    they are pushed again or withheld there. What is judged from them cannot be judged again.
    """
    opened = EvidenceDir.open(evidence)
    refs = [found.ref for found in map(opened.exchange, reference)]
    if zone is not None:
        refs += [found.ref for found in opened.exchanges({zone_subject(Name.from_text(zone))})]
    rows = {(ref.segment, ref.row) for ref in refs if ref is not None}
    if not rows:
        raise InputError("no exchange to withhold: give SEGMENT:ROW, or --zone with a zone of this run")
    if not yes:
        click.confirm(f"Take {counted(len(rows), 'exchange')} out of {evidence}, for good?", abort=True)
    with opened.writer():
        for manifest in opened.manifests():
            here = [row for segment, row in rows if segment == manifest.segment_root]
            if here:
                withhold(evidence, manifest, here, reason)
    say(f"{counted(len(rows), 'exchange')} withheld; enter the run into its log again, and push its copies again.")


@command.command("push")
@click.argument("evidence", type=_EVIDENCE)
@click.argument("url")
def push_(evidence: Path, url: str) -> None:
    """Copy the run in the folder EVIDENCE to URL, such as s3://bucket/prefix; again: only what is new.

    Address and credentials of the store come from AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY.
    """
    with progress_bar("copying", "files") as tell:
        sent = push(evidence, url, tell)
    say(f"{printable(url)}: {counted(sent, 'file')} sent; the copy is complete.")


@command.command("pull")
@click.argument("url")
@click.argument("evidence", type=click.Path(path_type=Path, file_okay=False))
def pull_(url: str, evidence: Path) -> int:
    """Copy a run from URL into the new folder EVIDENCE, and verify it."""
    with progress_bar("copying", "files") as tell:
        came = pull(url, evidence, tell)
    report = verify(evidence)
    for problem in report.problems:
        say(("damaged", "bold red"), f"  {problem}")
    state = "complete and unchanged" if not report.problems else counted(len(report.problems), "problem")
    say(f"{counted(came, 'file')}, {counted(report.rows, 'exchange')}: {state}.")
    return 1 if report.problems else 0


@command.command("export")
@click.argument("evidence", type=_EVIDENCE)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", type=click.Choice(tuple(WRITERS)), help="Default: as the name of FILE ends.")
@click.option("--zone", help="Only the exchanges about this zone.")
def export(evidence: Path, file: Path, form: str | None, zone: str | None) -> None:
    """Write the recorded exchanges into FILE, for other tools: pcap, dnstap or C-DNS.

    Our own address is not recorded; documentation addresses stand for it. C-DNS keeps what messages say, not their
    octets. dnstap keeps all: importing it again gives the same exchanges.
    """
    form = form or file.suffix.lstrip(".")
    if form not in WRITERS:
        raise InputError(f"{file} does not say its format: end it in {', '.join(f'.{one}' for one in WRITERS)}")
    opened = EvidenceDir.open(evidence)
    subjects = None if zone is None else {zone_subject(Name.from_text(zone))}
    with durable.storing(file) as out:
        count = WRITERS[form](out, opened.exchanges(subjects))
    if not count:
        file.unlink()
        raise InputError(f"{evidence} has no exchange{f' about {zone}' if zone else ''} to write")
    noun = "message" if form == "pcap" else "exchange"
    say(f"{file}: {counted(count, noun)} as {form}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("evidence", type=click.Path(path_type=Path, file_okay=False))
@click.option("--vantage", default="unknown", show_default=True, help="Where the capture was made.")
def import_(file: Path, evidence: Path, vantage: str) -> None:
    """Make evidence of the capture in FILE (pcap, pcapng, dnstap, C-DNS; also gzip, xz) in the new folder EVIDENCE.

    Its exchanges can be shown, cited and verified. Checks do not judge them: they answer no question of a plan.
    """
    skipped = Skipped()
    count = import_capture(file, evidence, vantage, skipped)
    say(f"{evidence}: {counted(count, 'exchange')}")
    if skipped:
        say(f"Left out: {skipped.text()}")


def show_exchange(x: Exchange) -> str:
    """The circumstances of an exchange, then query and response decoded and as octets."""
    at = datetime.fromtimestamp(x.sent_at_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    server = f"{printable(str(x.server_name))} {x.address}" if x.server_name else str(x.address)
    rtt = f"{x.rtt_us / 1000:.1f} ms" if x.rtt_us is not None else "no response"
    parts = [
        f";; exchange {x.ref.short if x.ref else None}: question {x.ask} for {printable(x.subject)}",
        f";; to {server} port {x.port} over {x.transport.name}, attempt {x.attempt}, {at}, {x.status.word}, {rtt}, "
        f"from {printable(x.vantage)}",
        "\n;; QUERY",
        dig(Message(x.query)),
        hexdump(x.query),
    ]
    if x.response is not None:
        parts += ["\n;; RESPONSE", dig(Message(x.response)), hexdump(x.response)]
    return "\n".join(parts)
