"""Runs: what people and programs ask for besides a first import: uploads, releases, replays, undos, comparisons."""
