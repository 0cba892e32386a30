"""The API of connections, their review and their changes."""
