"""Serving a workspace."""

from __future__ import annotations

from pathlib import Path

from gnomon.review.instance import setup


def serve(data_dir: Path, port: int = 8000) -> None:
    """Serve the workspace of `data_dir` on 127.0.0.1 until it is told to stop (SIGINT or SIGTERM).

    Raises:
        InputError: `data_dir` cannot be used.
    """
    from granian.constants import Interfaces
    from granian.server import Server

    setup(data_dir)
    # The worker is a new process; it finds the directory in GNOMON_DATA, which `setup` has set.
    Server(
        "gnomon.review.wsgi:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=4,
        backpressure=64,
        websockets=False,
        log_access=False,
        static_path_route=["/static"],
        static_path_mount=[Path(__file__).parent / "pages" / "static"],
        static_path_expires=31536000,
    ).serve()
