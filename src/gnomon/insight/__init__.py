"""Understanding a population: derived tables, indicators (SQL over Parquet), failure drills.

`tables` is loaded by everything that judges, the others only by what asks for them: so each is imported by its name.
"""
