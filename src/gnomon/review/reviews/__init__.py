"""Reviews: areas, sub-teams, seats, scope questions and weekly updates."""
