"""Within a network: to a port, to another host, to all, and over the wire."""
