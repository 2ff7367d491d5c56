"""`gnomon init`: a review workspace and its first account."""

from __future__ import annotations

from pathlib import Path

import click

from gnomon.cli.terminal import say


@click.command("init")
@click.argument("workspace", type=click.Path(path_type=Path, file_okay=False))
@click.option("--account", prompt="Account name", help="Account of the person who keeps this workspace.")
@click.option("--name", prompt="Your name", help="Name as others see it.")
@click.option("--organisation", default="", help="Organisation, if any.")
@click.password_option(help="Password of the account; asked for if not given.")
@click.option("--review", nargs=2, metavar="NAME SHORT", help="Also open an SSR review of that name and short name.")
@click.option(
    "--preset", default="ssr-review", show_default=True, help="Preset of that review, packaged or a TOML file."
)
def command(
    workspace: Path,
    account: str,
    name: str,
    organisation: str,
    password: str,
    review: tuple[str, str] | None,
    preset: str,
) -> None:
    """Create (or add an account to) the review workspace in the folder WORKSPACE."""
    from gnomon.review import (
        all_or_nothing,
        create_user,
        open_review,
        setup,
    )  # Django is needed by the web commands only

    setup(workspace)
    with all_or_nothing():
        create_user(account, name, organisation, password)
        if review:
            open_review(preset, *review)
    say(f"{workspace} is ready. Next: gnomon serve {workspace}")
