"""The node manager: which hosts there are, where their tunnels end, which of them are alive."""
