"""The command line: one file per command. A command translates its arguments and calls a lower package.

Exit status: 0 done; 1 done, and something is at or above --fail-level, damaged, or different; 2 not done, and one
sentence on standard error says why and what to do.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence

import click

from gnomon import __version__
from gnomon.base import GnomonError, printable
from gnomon.base.words import speak
from gnomon.cli.terminal import prepare_output

# Command -> one line of help. The file is imported when the command is called, so `gnomon --help` stays quick.
_COMMANDS = {
    "assess": "Measure and judge zones now, and print what was found.",
    "survey": "Measure a population of zones, and record every packet.",
    "judge": "Judge recorded evidence; no packet is sent.",
    "replay": "Judge again, and tell any difference to what is stored.",
    "verify": "Check that evidence is complete and unchanged.",
    "evidence": "Show, copy, export, import and withhold recorded exchanges.",
    "compare": "Compare verdicts with a report of Zonemaster or DNSViz.",
    "claim": "Put one zone's verdicts, evidence and proofs into one file.",
    "log": "Keep an append-only log that proves what was recorded, and when.",
    "indicators": "Compute the population's indicators.",
    "drill": "Take an operator or AS away, and list what goes dark.",
    "report": "Write the report as one HTML file.",
    "zonefile": "Judge a whole zone file, or compare two.",
    "checks": "Show the published checks: rule, source, what to do.",
    "lab": "Build and serve a simulated identifier system on loopback.",
    "init": "Create a review workspace and its first account.",
    "serve": "Serve a review workspace on 127.0.0.1.",
    "demo": "Run everything once: lab, survey, verdicts, review, report.",
    "doctor": "Tell whether this machine has what Gnomon needs.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"gnomon.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gnomon")
@click.option("--lang", metavar="CODE", help="Print verdicts and checks in this language, else in that of LANGUAGE.")
def gnomon(lang: str | None) -> None:
    """Security, stability and resiliency reviews of the Internet's identifier systems."""
    speak(lang)


# What is loaded and judged holds next to no cycles: looking for them as often as Python does by itself costs a sixth of
# a short command, and as much again at its end.
_COLLECTED_AFTER = 50_000


def main() -> None:
    """Entry point of the `gnomon` command."""
    gc.set_threshold(_COLLECTED_AFTER)
    prepare_output()
    status = run(sys.argv[1:])
    if "duckdb" not in sys.modules:  # which complains of what is not looked for
        gc.freeze()
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status. What goes wrong becomes one sentence on standard error."""
    try:
        status = gnomon.main(list(arguments), prog_name="gnomon", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.UsageError as error:
        help_of = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        return _not_done(error.format_message().rstrip(".") + help_of)
    except click.ClickException as error:
        return _not_done(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        return _not_done("stopped")
    except GnomonError as error:
        return _not_done(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _not_done(f"{where}{error.strerror or error}; mend that and try again, nothing stored before is lost")


def _not_done(sentence: str) -> int:
    click.echo(f"gnomon: {printable(sentence)}", err=True)
    return 2
