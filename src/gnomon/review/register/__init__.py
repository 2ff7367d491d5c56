"""The register of evidence: measured indicators, sets of verdicts, documents by digest."""
