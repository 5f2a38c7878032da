"""What ports are and may be: pure."""
