"""The use cases of floating IPs and port forwardings."""
