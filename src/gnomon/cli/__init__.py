"""The command line: one file per command. A command translates its arguments and calls a lower package.

Exit status: 0 done; 1 done, and something is at or above --fail-level (or a verification failed); 2 bad input.
"""

from __future__ import annotations

import errno
import importlib
import sys

import click

from gnomon import __version__
from gnomon.base import Broken, GnomonError

# Command -> one line of help. The file is imported when the command is called, so `gnomon --help` stays quick.
_COMMANDS = {
    "assess": "Measure and judge zones now, and print what was found.",
    "survey": "Measure a population of zones and record every packet as evidence.",
    "judge": "Judge recorded evidence; no packet is sent.",
    "replay": "Judge the evidence again and report any difference to the stored verdicts.",
    "verify": "Check that evidence is complete and unchanged.",
    "indicators": "Compute the population's indicators.",
    "drill": "Take an operator or AS away and list the zones that go dark.",
    "report": "Write the report as one HTML file.",
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
def gnomon() -> None:
    """Security, stability and resiliency reviews of the Internet's identifier systems."""


def main() -> None:
    """Entry point of the `gnomon` command: errors become one sentence on stderr and an exit status."""
    try:
        status = gnomon.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped", 130)
    except Broken as error:
        _fail(f"{error}", 1)
    except GnomonError as error:
        _fail(f"{error}", 2)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EMFILE, errno.ENOENT):
            raise
        where = f": {error.filename}" if error.filename else ""
        _fail(f"the operating system says {error.strerror!r}{where}; nothing stored before is lost", 2)


def _fail(sentence: str, status: int) -> None:
    click.echo(f"gnomon: {sentence}", err=True)
    sys.exit(status)
