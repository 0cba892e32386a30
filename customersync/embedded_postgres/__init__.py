"""Database engine for local use: Django's PostgreSQL engine over a PostgreSQL that comes as a Python package.

The server starts when a process first connects, is shared by every process of the project and stops when the
last of them ends.
"""
