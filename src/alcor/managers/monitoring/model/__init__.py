"""Logs, mirrors and taps. Pure."""
