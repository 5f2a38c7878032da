"""Migrations of the metering manager's database."""
