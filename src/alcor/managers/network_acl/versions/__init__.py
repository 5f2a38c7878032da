"""Migrations of the network ACL manager's database."""
