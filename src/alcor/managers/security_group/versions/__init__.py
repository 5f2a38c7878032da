"""Migrations of the security group manager's database."""
