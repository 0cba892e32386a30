"""Matching: connections of an account that may be one and the same customer, and why."""
