"""What the agent knows of its host, cut by what it is about. Pure."""
