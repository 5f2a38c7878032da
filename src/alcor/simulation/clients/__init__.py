"""Clients of a simulated region: what they ask of its managers, and what they were answered."""
