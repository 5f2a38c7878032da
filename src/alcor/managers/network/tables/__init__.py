"""Tables beside that of networks: ranges, segments."""
