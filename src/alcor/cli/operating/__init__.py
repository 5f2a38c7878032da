"""What operators run: roles and agents, checks of a region and of a host, imports."""
