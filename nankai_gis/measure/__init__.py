"""Areas, lengths, coverage and checks."""
