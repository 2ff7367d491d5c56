"""`gnomon verify`: is the evidence complete and unchanged, and does a claim hold?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from gnomon.base import InputError, Level, printable
from gnomon.cli.log import verifier_key
from gnomon.cli.terminal import counted, progress_bar, say
from gnomon.evidence import durable, verify
from gnomon.evidence.logged import ReceiptReport, check_receipts
from gnomon.evidence.note import VerifierKey
from gnomon.evidence.sealed import unseal
from gnomon.judge import sentence
from gnomon.judge.claim import KIND as CLAIM
from gnomon.judge.claim import Claim, check_claim

_TOLD = tuple(level.word for level in sorted(Level, reverse=True) if level >= Level.NOTICE)


@click.command("verify")
@click.argument("evidence", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--evidence", "of", type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With a report: the evidence it is about; default: the folder it is in.",
)  # fmt: skip
@click.option("--log-key", metavar="KEY", help="Key of the log that has entries of the run: check its signatures too.")
def command(evidence: Path, of: Path | None, log_key: str | None) -> int:
    """Check evidence, offline. Exit status 1 names what is damaged or not proven.

    EVIDENCE is the folder of a run: every Merkle root is computed again. Or it is a file that `gnomon claim` wrote:
    its proofs are checked and it is judged again. Receipts of a log are checked with both. Or it is the report.json
    that `gnomon report` wrote: the evidence is verified and judged, and the report made again.
    """
    key = None if log_key is None else verifier_key(log_key)
    if evidence.is_file():
        is_claim = unseal(durable.read(evidence), evidence).get("kind") == CLAIM
        return _claim(evidence, key) if is_claim else _report(evidence, of or evidence.parent)
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
    return _receipts(check_receipts(evidence, key))


def _report(file: Path, evidence: Path) -> int:
    from gnomon.report import check_report  # what draws the charts is an extra

    problems = list(check_report(file, evidence))
    for problem in problems:
        say(("not proven", "bold red"), f"  {problem}")
    if not problems:
        say(f"Verified, judged again and written again from {evidence}: every statement of the report follows.")
    return 1 if problems else 0


def _claim(file: Path, key: VerifierKey | None) -> int:
    claim = Claim.from_octets(durable.read(file), str(file))
    report = check_claim(claim, key)
    for problem in report.problems:
        say(("not proven", "bold red"), f"  {problem}")
    for sign, verdicts in (("-", report.missing), ("+", report.more)):
        for v in verdicts:
            say(f"{sign} {v.zone} {v.level} {v.check_id}/{v.code}: {sentence(v)}")
    exchanges = f"{counted(report.exchanges, 'exchange')} of run {printable(claim.run.run_id)}"
    if not report.problems:
        signed = "signed" if key else "said to be signed (give --log-key to check)"
        proven = f", {report.logged} of them {signed} by a log" if report.logged else ""
        say(f"{exchanges} are rows of {counted(report.segments, 'segment')}{proven}.")
    if report.missing or report.more:
        say(
            f"Judged again: {len(report.missing)} claimed verdicts do not come out, {len(report.more)} others do "
            f"(claimed with Gnomon {printable(claim.made.code_version)}, this is {report.code_version})."
        )
        return 1
    say(f"Judged again: the same {counted(len(claim.verdicts), 'verdict')} on {claim.zone} came out.")
    levels = Counter(v.level for v in claim.verdicts)
    told = ", ".join(f"{levels[word]} {word}" for word in _TOLD if levels[word])
    say(f"Of these: {told or 'none at notice or above'}.")
    return 0 if report.holds else 1


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
