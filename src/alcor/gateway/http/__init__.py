"""HTTP/1.1: the server, its connections, and bodies while they come in."""
