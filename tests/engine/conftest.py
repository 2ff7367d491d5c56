from __future__ import annotations

import engine_servers
import pytest


@pytest.fixture(params=[0, 10], ids=["at once", "in turns"])
def turns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test proves of an engine that looks at once holds for one that looks in turns."""
    monkeypatch.setattr(engine_servers, "TURN_MS", request.param)
