"""What a trunk is, and what may be done to it: pure."""
