"""The elastic IP manager: floating IPs, to whom they are given, and their port forwardings."""
