"""Migrations of the topology manager's database."""
