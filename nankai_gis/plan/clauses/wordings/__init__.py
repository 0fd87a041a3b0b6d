"""The wordings that the clause reader knows, a kind a file, each with its cases."""
