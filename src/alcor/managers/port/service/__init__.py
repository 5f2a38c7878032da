"""What can be done with ports, and the one queue of all writes."""
