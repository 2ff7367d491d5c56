"""A lab that serves in the background, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType

from gnomon.base import InputError, RetryLater

_STOP_S = 10.0


class LabProcess:
    """Serves the world in a directory while the `with` block runs; `port` is where.

    The process also ends when the process that started it does.
    """

    def __init__(self, directory: Path, port: int = 0) -> None:
        """Start; returns once queries are answered.

        Raises:
            InputError: the directory holds no world, or the port cannot be had.
            RetryLater: the process died before it answered.
        """
        command = [sys.executable, "-m", "gnomon.lab.server", str(directory), str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line.isdecimal():
            self.close()
            if line.startswith("error: "):
                raise InputError(line.removeprefix("error: "))
            raise RetryLater(f"the lab of {directory} stopped before it served; try again")
        self.port = int(line)

    @property
    def pid(self) -> int:
        """The process id, for measuring what serving costs."""
        return self._process.pid

    def close(self) -> None:
        """Stop serving; may be called twice."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> LabProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
