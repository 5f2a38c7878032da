"""Fuzz the parsers of what machines and switches send: `python -m fuzz`, `make fuzz`."""
