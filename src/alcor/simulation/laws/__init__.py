"""What must be so in the end, and what it is computed from."""
