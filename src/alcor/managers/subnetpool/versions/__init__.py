"""Migrations of the subnet pool manager's database."""
