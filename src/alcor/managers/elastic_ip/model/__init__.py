"""Floating IPs, port forwardings and their rules. Pure."""
