"""Migrations of the port manager's database."""
