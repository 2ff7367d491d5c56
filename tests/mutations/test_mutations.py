"""One fault in a healthy world: which verdicts turn bad, all of them, as recorded in `mutations.toml`.

The healthy world has no verdict of notice or above; each fault gives the codes that are recorded for it and no other.
A change here is a change of what Gnomon tells an operator with that fault: look at it, then write the file again with
`PYTHONPATH=tests python tests/mutations/mutations.py`.
"""

from __future__ import annotations

import tomllib

import pytest

from gnomon.lab import FAULTS
from mutations import RECORD, bad_codes

RECORDED: dict[str, list[str]] = tomllib.loads(RECORD.read_text())["codes"]


def test_a_healthy_world_has_nothing_bad() -> None:
    assert bad_codes(None) == []


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_turns_these_verdicts_bad_and_no_other(fault: str) -> None:
    assert bad_codes(fault) == RECORDED[fault]
