"""One decision per file: one record (and what it stands on) in, at most one goal entry out."""
