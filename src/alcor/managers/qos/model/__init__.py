"""QoS policies and their rules, decided without I/O."""
