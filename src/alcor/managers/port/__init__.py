"""The port manager: where a machine's interface meets its network."""
