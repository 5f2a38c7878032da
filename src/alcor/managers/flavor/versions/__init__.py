"""Migrations of the flavor manager's database."""
