"""`gnomon lab`: a simulated identifier system on loopback."""

from __future__ import annotations

import inspect
from pathlib import Path

import click

from gnomon.base import InputError
from gnomon.cli.terminal import console, counted, row, say, table
from gnomon.lab import FAULTS, World
from gnomon.lab.populations import build_embedded, build_from_root_zone
from gnomon.lab.server import serve
from gnomon.lab.store import load, save

PORT = 5300


@click.group("lab")
def command() -> None:
    """Build and serve a simulated identifier system: root, TLDs and their name servers, all on 127.0.0.0/8."""


@command.command("build")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--root-zone", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take TLDs, server names, addresses and DS algorithms from this root zone file (.gz too).",
)  # fmt: skip
@click.option("--tlds", type=click.IntRange(1), help="How many TLDs; default: all. Not with --root-zone.")
@click.option(
    "--faults",
    "share",
    type=click.FloatRange(0, 1),
    help="Share of TLDs that get a fault (0.04, or 0 with --root-zone).",
)
@click.option("--seed", default=0, show_default=True, help="Same seed, same world.")
def build(folder: Path, root_zone: Path | None, tlds: int | None, share: float | None, seed: int) -> None:
    """Write a world into FOLDER: zones, servers, address map, hints, trust anchor, faults."""
    world = build_world(root_zone, tlds, share, seed)
    save(world, folder)
    say(f"{folder}: {describe(world)}.")
    say(f"Next: gnomon survey --lab {folder} --evidence run, or gnomon lab serve {folder}")


@command.command("serve")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="UDP and TCP port on all of 127.0.0.0/8.",
)
def serve_command(folder: Path, port: int) -> None:
    """Answer for every server of the world in FOLDER until stopped."""
    world = load(folder)

    def ready(bound: int) -> None:
        say(f"{describe(world)}; serving on port {bound} of 127.0.0.0/8, stop with Ctrl-C")

    serve(world, port, ready=ready)


@command.command("faults")
def faults() -> None:
    """List the faults a world can have, by name."""
    made = table("", "", headings=False)
    for name, fault in sorted(FAULTS.items()):
        row(made, (name, "bold"), (inspect.getdoc(fault) or "").partition("\n")[0])
    console().print(made)


def build_world(root_zone: Path | None, tlds: int | None = None, share: float | None = None, seed: int = 0) -> World:
    """The world of a root zone file, or the embedded one."""
    if root_zone is not None:
        if tlds is not None:
            raise InputError("--tlds is not possible with --root-zone: the lab has the TLDs of that file; choose some "
                             "of them with `gnomon survey --lab LAB --zones FILE`")  # fmt: skip
        return build_from_root_zone(root_zone, seed=seed, faulty_share=share or 0.0)
    return build_embedded(seed, tlds=tlds) if share is None else build_embedded(seed, tlds=tlds, faulty_share=share)


def describe(world: World) -> str:
    """What a world holds, in one line."""
    tlds, faults = counted(len(world.population), "TLD"), counted(len(world.faults), "fault")
    return f"{tlds} on {len(world.loopback):,} server addresses, {faults}"
