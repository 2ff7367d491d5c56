"""Who did what, when: an append-only chain of events, written by every action and by nothing else."""
