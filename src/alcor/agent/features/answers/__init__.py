"""What a host answers itself, by flows or by its agent."""
