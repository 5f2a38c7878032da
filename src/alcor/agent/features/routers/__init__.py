"""Between networks, and to the outside."""
