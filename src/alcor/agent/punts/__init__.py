"""Packets that need thought: they come by packet-in, metered, and parsers survive any bytes."""
