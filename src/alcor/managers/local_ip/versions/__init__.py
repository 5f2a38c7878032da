"""Migrations of the local IP manager."""
