"""Fixtures of the workspace's tests. Only this folder needs Django; it is set up when the folder is collected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from measured import make_run
from reviewed import Workspace, build

from gnomon.evidence import EvidenceDir
from gnomon.insight.indicator import Indicator, compute


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashing that is slow on purpose would be most of the tests' time."""
    from django.conf import settings

    kept = settings.PASSWORD_HASHERS
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    yield
    settings.PASSWORD_HASHERS = kept


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A judged run of 60 zones."""
    return make_run(tmp_path_factory.mktemp("evidence") / "run")


@pytest.fixture(scope="session")
def indicators(evidence: Path) -> dict[str, Indicator]:
    """All indicators of the run by id."""
    return {found.id: found for found in compute(evidence, EvidenceDir.open(evidence).run.run_id)}


@pytest.fixture
def workspace(db: None, evidence: Path) -> Workspace:
    """A review with its people, and the run attached."""
    return build(evidence)
