"""The command line: a client of the public API, and the starter of Alcor's processes."""
