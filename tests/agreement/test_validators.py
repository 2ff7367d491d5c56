"""Our status of a zone (RFC 4035 section 4.3) equals that of Unbound, BIND, PowerDNS Recursor and DNSViz in each DNSSEC
situation, or the difference is explained in `differences.toml`. What they say was recorded by `peers.py` into
`recorded.json`.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from situations import Situation, situations

from gnomon.checks.chain import Chain
from gnomon.judge import views
from gnomon.lab.spec import DEFAULT_CLOCK_S
from worlds import ZONE, survey

HERE = Path(__file__).parent
RECORDED: dict[str, dict[str, Any]] = json.loads((HERE / "recorded.json").read_text())["situations"]
DIFFERENCES: dict[str, dict[str, str]] = tomllib.loads((HERE / "differences.toml").read_text())
SITUATIONS = [one for one in situations() if one.name in RECORDED]


def resolver(said: dict[str, str]) -> str:
    """A resolver's status of the zone: what it says of the SOA, unless a name that does not exist cannot be denied."""
    words = {"servfail": "bogus", "timeout": "indeterminate"}
    statuses = [words.get(said[about], said[about]) for about in ("soa", "denial")]
    return "bogus" if "bogus" in statuses else statuses[0]


def dnsviz(said: dict[str, Any]) -> str | None:
    """Its status of the zone, the worst of all servers; None where it failed."""
    if "failed" in said:
        return None
    return "bogus" if "bogus" in (said["delegation"], *said["soa"]) else str(said["delegation"])


def differences(chain: Chain, recorded: dict[str, Any]) -> dict[str, str]:
    """By tool, what it says where none of our servers has that status.

    A validator that asks one server gets that server's status; ours is that of one which tries them all.
    """
    ours = {chain.status.value, *(trust.status.value for trust in chain.servers.values())}
    if "indeterminate" in ours:
        ours.add("bogus")  # no usable answer: SERVFAIL to whoever asks
    said = {tool: dnsviz(of) if tool == "dnsviz" else resolver(of) for tool, of in recorded.items()}
    return {tool: status for tool, status in said.items() if status is not None and status not in ours}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_the_same_status_as_others(situation: Situation, tmp_path: Path) -> None:
    evidence = survey(situation.world(DEFAULT_CLOCK_S), tmp_path / "run", [ZONE])
    chain = next(views(evidence)).chain()
    found = differences(chain, RECORDED[situation.name])
    explained = DIFFERENCES.get(situation.name, {})
    assert set(found) == set(explained), f"ours {chain.status.value} ({chain.reason}), {found}"


def test_enough_situations_and_no_explanation_too_many() -> None:
    assert len(SITUATIONS) >= 150
    assert set(DIFFERENCES) <= {situation.name for situation in SITUATIONS}
    assert all(text.endswith(".") for of in DIFFERENCES.values() for text in of.values())
