"""Understanding a population: derived tables, indicators (SQL over Parquet), failure drills."""

from gnomon.insight.drill import KINDS, Affected, DrillResult, Graph, Ranked, Server
from gnomon.insight.indicator import Indicator, Method, Slice, compute, methods, open_tables
from gnomon.insight.tables import judge_with_tables, write_tables

__all__ = [
    "KINDS", "Affected", "DrillResult", "Graph", "Indicator", "Method", "Ranked", "Server", "Slice", "compute",
    "judge_with_tables", "methods", "open_tables", "write_tables",
]  # fmt: skip
