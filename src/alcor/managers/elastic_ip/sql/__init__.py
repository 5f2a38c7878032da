"""The elastic IP manager's store: floating IPs, port forwardings, fences and notes."""
