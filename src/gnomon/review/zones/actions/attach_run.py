"""Showing a measured run in the workspace."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from gnomon.base import InputError
from gnomon.review.audit.actions import act
from gnomon.review.measurements import open_measurements
from gnomon.review.people.models import User
from gnomon.review.zones.models import Run


def attach_run(by: User, directory: Path, profile: str = "default") -> Run:
    """Attach the judged run in `directory`, or refresh it when it is attached already. Nothing is copied.

    Raises:
        InputError: no run, or no verdicts of that profile there.
        Refused: `by` does not keep this instance.
    """
    directory = directory.resolve()
    if not directory.is_dir():
        raise InputError(f"there is no evidence directory {directory}")
    opened = open_measurements(str(directory), profile)
    facts = opened.run
    with act(by, "attach", "run") as done:
        run = Run.objects.filter(run_id=facts.run_id).first()
        if run is None:
            run = Run(run_id=facts.run_id)
        else:
            done.will_change(run)
        run.directory, run.profile, run.attached_by = str(directory), profile, by
        run.verdict_sha256 = opened.verdict_digest()
        run.started_at = datetime.fromisoformat(facts.started_at)
        run.tool, run.vantage = f"{facts.tool.name} {facts.tool.version}", facts.vantage
        dated = f", {facts.source.date}" if facts.source.date else ""
        run.source, run.zones = f"{facts.source.origin}{dated}", facts.source.zones
        run.simulated = facts.address_map_sha256 is not None
        run.save()
        done.did(run, f"{run.zones:,} zones from {run.source}")
    return run
