"""A simulated identifier system: worlds of signed zones on name servers that answer in the process or on loopback."""

from gnomon.lab.engine import LabEngine, TimedLabEngine
from gnomon.lab.faults import FAULTS, RESET
from gnomon.lab.scenario import Scenario, build_world, load_scenarios
from gnomon.lab.spec import Placement
from gnomon.lab.world import World

__all__ = [
    "FAULTS", "RESET", "LabEngine", "Placement", "Scenario", "TimedLabEngine", "World", "build_world", "load_scenarios",
]  # fmt: skip
