"""Security groups and their rules: what may be asked for, what is a duplicate. Pure."""
