"""What imports keep for a time, and what still needs it. See `accounts.pruning`."""
