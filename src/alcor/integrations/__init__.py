"""Clients of services that are not ours: nothing here decides what a tenant may have."""
