"""The network ACL manager: ordered allow and deny rules at the edge of subnets."""
