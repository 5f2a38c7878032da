"""Drivers: each owns one part of reality, reads it back, and applies only the difference."""
