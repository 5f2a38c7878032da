"""Migrations of the elastic IP manager's database."""
