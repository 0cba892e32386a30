"""What the API of every app has in common, and the API of accounts."""
