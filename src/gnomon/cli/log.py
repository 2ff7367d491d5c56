"""`gnomon log`: an append-only, signed log of what was recorded and when."""

from __future__ import annotations

from pathlib import Path

import click

from gnomon.base import InputError, printable
from gnomon.cli.terminal import counted, say
from gnomon.evidence import durable
from gnomon.evidence.log import EvidenceLog
from gnomon.evidence.logged import enter
from gnomon.evidence.note import Checkpoint, Note, VerifierKey
from gnomon.evidence.receipt import Growth

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("log")
def command() -> None:
    """Keep an append-only log that proves what was recorded, and when."""


@command.command("init")
@click.argument("log", type=_FOLDER)
@click.argument("name")
def init(log: Path, name: str) -> None:
    """Begin a log in the folder LOG under the NAME that others will know it by, such as example.org/ssr-review."""
    made = EvidenceLog.create(log, name)
    say(f"Give this key to everyone who is to check your evidence ({log / 'verifier.key'}):")
    say()
    say(f"    {made.verifier}")
    say()
    say(f"Keep {log / 'signer.key'} secret and in a safe copy: who has it can sign in your name.")


@command.command("add")
@click.argument("log", type=_FOLDER)
@click.argument("evidence", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True)
def add(log: Path, evidence: tuple[Path, ...]) -> None:
    """Enter the runs in the folders EVIDENCE, and store the receipts in them.

    What the log has already is not entered twice; a run that grew or was judged again gets further entries.
    """
    opened = EvidenceLog.open(log)
    for path in evidence:
        entered, receipts = enter(opened, path)
        say(f"{path}: {counted(entered, 'new entry', 'new entries')}, {counted(receipts, 'receipt')} written")
    say(f"{opened.verifier.name} has {counted(len(opened.entries), 'entry', 'entries')}; its newest checkpoint:")
    _show(opened)


@command.command("check")
@click.argument("log", type=_FOLDER)
def check(log: Path) -> int:
    """Compare the entries of LOG with every checkpoint that it ever signed. Exit status 1 names what differs."""
    opened = EvidenceLog.open(log)
    sizes = opened.checkpoints()
    problems = [problem for problem in map(opened.check_one, sizes) if problem]
    for problem in problems:
        say(("damaged", "bold red"), f"  {problem}")
    if problems:
        return 1
    entries = counted(len(opened.entries), "entry", "entries")
    say(f"{entries} under {counted(len(sizes), 'signed checkpoint')}: complete and unchanged.")
    _show(opened)
    return 0


@command.command("growth")
@click.argument("log", type=_FOLDER)
@click.argument("old", type=_FILE)
def growth(log: Path, old: Path) -> None:
    """Print the proof that LOG still begins with the entries of the checkpoint in the file OLD."""
    click.echo(EvidenceLog.open(log).growth(_checkpoint(old)).to_octets().decode(), nl=False)


@command.command("follows")
@click.argument("old", type=_FILE)
@click.argument("proof", type=_FILE)
@click.option("--log-key", required=True, metavar="KEY", help="The log's verifier key, or a file with it.")
def follows(old: Path, proof: Path, log_key: str) -> int:
    """Check, without the log, that it only grew since the checkpoint in OLD; PROOF is what `gnomon log growth` gave."""
    key, before = verifier_key(log_key), _checkpoint(old)
    grown = Growth.from_octets(durable.read(proof), proof)
    notes = {old: Note.from_octets(durable.read(old), old), proof: grown.checkpoint}
    for file, note in notes.items():
        if not key.has_signed(note):
            say(("not proven", "bold red"), f"  {file} is not signed by the key of {key.name}")
            return 1
    if not grown.follows(before, proof):
        say(("not proven", "bold red"), f"  {key.name} was changed: the old entries are not at the beginning any more")
        return 1
    after = Checkpoint.from_note(grown.checkpoint, proof)
    say(f"{key.name} grew from {before.size:,} to {counted(after.size, 'entry', 'entries')}; nothing was changed.")
    return 0


def verifier_key(text: str) -> VerifierKey:
    """The key that an option gives as such, or as the name of a file."""
    path = Path(text)
    if "+" not in text and not path.is_file():
        raise InputError(f"{printable(text)!r} is neither a verifier key (name+hash+key) nor a file with one")
    return VerifierKey.from_text(durable.read(path).decode("ascii", "replace") if path.is_file() else text)


def _checkpoint(path: Path) -> Checkpoint:
    return Checkpoint.from_note(Note.from_octets(durable.read(path), path), path)


def _show(log: EvidenceLog) -> None:
    for size in log.checkpoints()[-1:]:
        say()
        click.echo(log.checkpoint(size).to_octets().decode(), nl=False)
