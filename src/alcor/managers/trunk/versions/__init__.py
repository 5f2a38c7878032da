"""Migrations of the router manager's database."""
