"""The only place where components meet."""
