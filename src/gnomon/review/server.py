"""Serving a workspace."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from gnomon.base import InputError
from gnomon.review.instance import setup

_STOP_S = 5


def serve(data_dir: Path, port: int = 8000, *, ready: Callable[[], None] | None = None) -> None:
    """Serve the workspace of `data_dir` on 127.0.0.1 until it is told to stop (SIGINT or SIGTERM).

    `ready` is called once the port is open.

    Raises:
        InputError: `data_dir` or the port cannot be used.
    """
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    setup(data_dir)
    _look_at_port(port)
    # The worker is a new process; it finds the directory in GNOMON_DATA, which `setup` has set.
    server = Server(
        "gnomon.review.wsgi:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=4,
        backpressure=64,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
        static_path_route=["/static"],
        static_path_mount=[Path(__file__).parent / "pages" / "static"],
        static_path_expires=31536000,
        # A worker that is told to stop while it starts does not hear it.
        workers_kill_timeout=_STOP_S,
    )
    if ready is not None:
        server.on_startup(ready)
    server.serve()


def _look_at_port(port: int) -> None:
    """The server itself would end with the trace of a panic."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"cannot serve on port {port}: {error.strerror}; choose another one, --port N") from None
