"""What networks, segments and ranges are and may be: pure."""
