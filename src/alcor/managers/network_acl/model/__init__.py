"""Network ACLs and their rules: what may be asked for. Pure."""
