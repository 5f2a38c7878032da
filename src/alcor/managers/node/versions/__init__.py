"""Migrations of the node manager's database."""
