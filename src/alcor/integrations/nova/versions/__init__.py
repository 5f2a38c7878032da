"""Migrations of what Nova was told."""
