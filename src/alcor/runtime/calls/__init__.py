"""Calls between processes: named, bytes in and out, over a socket or NATS."""
