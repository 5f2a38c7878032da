"""The local IP manager: virtual addresses that each host answers with a port of its own."""
