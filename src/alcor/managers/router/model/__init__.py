"""Routers and their rules. Pure."""
