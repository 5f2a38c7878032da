"""Logs and mirrors. Pure."""
