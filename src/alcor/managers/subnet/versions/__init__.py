"""Migrations of the subnet manager's database."""
