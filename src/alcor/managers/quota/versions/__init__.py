"""Migrations of the network manager's database."""
