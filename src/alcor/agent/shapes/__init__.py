"""Flows, matches and actions that several features have in common. Pure."""
