"""What can be done with networks, segments and ranges."""
