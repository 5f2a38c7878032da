"""Packet codecs of the agent: small, strict, and safe for any bytes."""
