"""The frozen result of a plan, which every output reads; kept in a file and verified."""
