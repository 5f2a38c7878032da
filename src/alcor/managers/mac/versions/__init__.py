"""Migrations of the MAC manager's database."""
