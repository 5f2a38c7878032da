"""Use cases of local IPs and of the ports that have them."""
