"""What every command prints with: nothing from the network or the user is taken for markup or control characters."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from gnomon.base import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_ENDLESS = 100_000
# With one of these, lines are broken or coloured also where standard output is no terminal.
_STYLED = frozenset(("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"))
Part = str | tuple[str, str]


class Tell(Protocol):
    """Draws how far something is."""

    def __call__(self, done: int, total: int, note: str = "") -> None: ...


def console() -> Console:
    """Standard output, as wide as the terminal; in a pipe or file no line is broken (unless COLUMNS is set)."""
    from rich.console import Console  # a large library that a command without tables does not need

    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _ENDLESS
    return Console(width=wide, highlight=False, markup=False, emoji=False)


def say(*parts: Part) -> None:
    """One paragraph to standard output; a part is text, or text with a style. A path is never broken."""
    if not sys.stdout.isatty() and _STYLED.isdisjoint(os.environ):
        print("".join(printable(part if isinstance(part, str) else part[0]) for part in parts), flush=True)
        return
    out, text = console(), _text(*parts)
    out.print(text, soft_wrap=any(len(word) > out.width for word in text.plain.split()))


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, in the plural (`plural`, or the noun with an s) where it is not one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def table(*columns: str, headings: bool = True) -> Table:
    """A table without frame, with these headings; those that end in ">" (cut off) are for numbers, to the right."""
    from rich.table import Table

    made = Table(box=None, show_header=headings, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in columns:
        right = heading.endswith(">")
        made.add_column(heading.rstrip(">"), justify="right" if right else "left", overflow="fold", no_wrap=right)
    return made


def row(of: Table, *cells: Part, style: str = "") -> None:
    """Add a row to a table, made safe to print."""
    of.add_row(*(_text(cell) for cell in cells), style=style)


@contextmanager
def progress_bar(what: str, unit: str) -> Iterator[Tell]:
    """A progress line on stderr; call it with (done, total, note). On no terminal nothing is drawn."""
    if not sys.stderr.isatty():
        yield lambda done, total, note="": None
        return
    from rich.console import Console  # a large library
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    # The numbers need some 90 columns; the bar has what is left of them, and on a narrow terminal the note goes.
    note = [TextColumn("{task.fields[note]}", style="dim")] if console.width >= 100 else []
    columns = (
        TextColumn("   {task.description}"), BarColumn(bar_width=min(30, max(8, console.width - 90))),
        MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), *note,
    )  # fmt: skip
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=None, note="")

        def tell(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield tell


def _text(*parts: Part) -> Text:
    from rich.text import Text

    safe = [printable(part) if isinstance(part, str) else (printable(part[0]), part[1]) for part in parts]
    return Text.assemble(*safe)


def prepare_output() -> None:
    """Let output survive a reader who leaves early, and a terminal that lacks a character.

    What is written to a closed pipe is dropped and the command goes on: its exit status and its files are the same
    whether somebody reads to the end or not.
    """
    sys.stdout, sys.stderr = _patient(sys.stdout), _patient(sys.stderr)


def _patient(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by the caller, as with `>&-`
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 open as long as the process lives
    raw = _Output(stream.fileno(), stream.isatty())
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "backslashreplace", line_buffering=raw.isatty())


class _Output(io.RawIOBase):
    def __init__(self, descriptor: int, is_terminal: bool) -> None:
        self._descriptor = descriptor
        self._is_terminal = is_terminal
        self._is_lost = False

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return self._is_terminal

    def writable(self) -> bool:
        return True

    def write(self, octets: ReadableBuffer, /) -> int:
        size_octets = memoryview(octets).nbytes
        if self._is_lost:
            return size_octets
        try:
            return os.write(self._descriptor, octets)
        except BrokenPipeError:
            self._is_lost = True
            return size_octets
        except OSError as error:
            # Told once; the interpreter, which flushes at its end, would only tell it again.
            self._is_lost = True
            raise OSError(error.errno, error.strerror, "what is printed cannot be written") from None
