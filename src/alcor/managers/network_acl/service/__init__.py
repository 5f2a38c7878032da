"""What can be done with network ACLs and their rules: one method per use case."""
