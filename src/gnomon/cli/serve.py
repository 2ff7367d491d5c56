"""`gnomon serve`: the review workspace on 127.0.0.1."""

from __future__ import annotations

from pathlib import Path

import click

from gnomon.cli.terminal import say


@click.command("serve")
@click.argument("workspace", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="TCP port on 127.0.0.1.")
@click.option(
    "--attach", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="EVIDENCE",
    help="Show this judged run on the zone pages.",
)  # fmt: skip
def command(workspace: Path, port: int, attach: Path | None) -> None:
    """Serve the review workspace in the folder WORKSPACE until stopped with Ctrl-C."""
    from gnomon.review import attach_run, open_existing, serve  # Django is needed by the web commands only

    open_existing(workspace)
    if attach:
        attach_run(attach)
    serve(workspace, port, ready=lambda: say(f"The workspace is at http://127.0.0.1:{port}/ (Ctrl-C stops it)"))
