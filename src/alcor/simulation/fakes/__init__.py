"""What stands in for clocks, networks, NATS, gRPC, disks and switches, and may fail by the seed."""
