"""Migrations of the QoS manager's database."""
