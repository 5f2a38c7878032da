"""What machines say and hear: leases, pings, datagrams, connections, raw frames."""
