"""What the host knows of routers, and of the world outside. Pure."""
