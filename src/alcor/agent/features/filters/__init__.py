"""What network ACLs and security groups let pass."""
