"""Migrations of what Placement was told."""
