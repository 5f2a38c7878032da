"""How goal state travels to hosts and reports travel back: one protocol, several carriers."""
