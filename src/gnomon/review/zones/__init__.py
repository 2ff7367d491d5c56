"""What was measured: the attached runs, zones, checks, verdicts and packets."""
