"""Files: bytes → rows → cleaned values → customers, and customers → files."""
