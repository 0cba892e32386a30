"""Feeds: a folder on a server → runs, and what goes back there."""
