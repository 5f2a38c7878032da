"""Migrations of the private IP manager's database."""
