"""`gnomon verify`: is the evidence complete and unchanged? And what does one exchange say?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gnomon.base import InputError, printable
from gnomon.cli.log import verifier_key
from gnomon.cli.measure import progress_bar
from gnomon.cli.terminal import counted, say
from gnomon.evidence import EvidenceDir, Exchange, verify
from gnomon.evidence.logged import ReceiptReport, check_receipts
from gnomon.wire import Message
from gnomon.wire.presentation import dig, hexdump


@click.command("verify")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--log-key", metavar="KEY", help="Key of the log that has entries of the run: check its signatures too.")
@click.option("--show", metavar="SEGMENT:ROW", help="Print this exchange as dig would, with its octets.")
def command(evidence: Path, log_key: str | None, show: str | None) -> int:
    """Recompute every Merkle root in the folder EVIDENCE and compare. Exit status 1 names each damage.

    Receipts of a log are checked with it. With --show, print one exchange that a verdict or report cites.
    """
    if show:
        click.echo(show_exchange(EvidenceDir.open(evidence).exchange(show)))
        return 0
    if not any((evidence / name).exists() for name in ("run.json", "manifests", "segments")):
        raise InputError(f"{evidence} is no evidence directory: nothing of one is in it")
    with progress_bar("verifying", "exchanges") as tell:
        report = verify(evidence, lambda done, total: tell(done, total))
    for problem in report.problems:
        say(("damaged", "bold red"), f"  {problem}")
    if report.problems:
        say(f"{counted(len(report.problems), 'problem')}; what is not named above is unchanged.")
        return 1
    say(f"{counted(report.rows, 'exchange')} in {counted(report.segments, 'segment')}: complete and unchanged.")
    return _receipts(check_receipts(evidence, None if log_key is None else verifier_key(log_key)))


def _receipts(report: ReceiptReport) -> int:
    for problem in report.problems:
        say(("not proven", "bold red"), f"  {problem}")
    if report.logged:
        who = f"signed by {', '.join(report.origins)}"
        if not report.signed:
            who = f"as {', '.join(report.origins)} is said to have signed (give --log-key to check the signatures)"
        say(f"{counted(report.logged, 'document')} proven to be in the log, {who}.")
    if report.unlogged and (report.logged or report.signed):
        say(f"Not in a log: {', '.join(report.unlogged[:10])}{' ...' if len(report.unlogged) > 10 else ''}")
    return 1 if report.problems or (report.signed and report.unlogged) else 0


def show_exchange(x: Exchange) -> str:
    """The circumstances of an exchange, then query and response decoded and as octets."""
    at = datetime.fromtimestamp(x.sent_at_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    server = f"{printable(str(x.server_name))} {x.address}" if x.server_name else str(x.address)
    rtt = f"{x.rtt_us / 1000:.1f} ms" if x.rtt_us is not None else "no response"
    parts = [
        f";; exchange {x.ref}: question {x.ask} for {printable(x.subject)}",
        f";; to {server} port {x.port} over {x.transport.name}, attempt {x.attempt}, {at}, {x.status.word}, {rtt}, "
        f"from {printable(x.vantage)}",
        "\n;; QUERY",
        dig(Message(x.query)),
        hexdump(x.query),
    ]
    if x.response is not None:
        parts += ["\n;; RESPONSE", dig(Message(x.response)), hexdump(x.response)]
    return "\n".join(parts)
