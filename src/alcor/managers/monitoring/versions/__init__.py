"""Migrations of the monitoring manager's database."""
