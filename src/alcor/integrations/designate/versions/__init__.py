"""Migrations of what was published."""
