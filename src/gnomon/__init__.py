"""Gnomon: security, stability and resiliency reviews of the Internet's identifier systems.

The map, from the bottom up (a package imports only from rows below its own; see docs/architecture.md):

    _core                native: messages, DNSSEC, query engine (Rust, in rust/)
    base                 names, addresses, code points, vocabulary, errors
    wire, engine         typed face of the native messages; sending queries within limits
    evidence, sources    recorded exchanges with proofs; dated inputs with provenance
    checks, survey, lab  pure judgement rules; what to ask and when; a simulated Internet on loopback
    judge                runs checks over evidence, replays, compares
    insight              indicators over populations, failure drills
    report               the frozen report as one HTML file
    review               the web workspace (Django; extra "web")
    cli                  one file per command
"""

__version__ = "0.1.0"
