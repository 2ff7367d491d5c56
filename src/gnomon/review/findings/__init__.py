"""Findings, recommendations and the measures that say whether a recommendation is met."""
