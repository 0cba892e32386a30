"""A backup is a folder: `manifest.json`, `database.dump` of pg_dump, and the copies in `files` with their digests."""
