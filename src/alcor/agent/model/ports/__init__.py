"""What the host knows of its ports and their interfaces. Pure."""
