"""What the host knows of network ACLs and security groups. Pure."""
