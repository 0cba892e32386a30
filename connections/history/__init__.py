"""The change log: who writes it, and what is read from it."""
