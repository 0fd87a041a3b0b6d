"""What the plan says: features, names, the clause reader, definitions and the packaged data."""
