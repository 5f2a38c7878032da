"""Logs. Pure."""
