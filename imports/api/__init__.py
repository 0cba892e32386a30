"""The API of runs, formats and feeds."""
