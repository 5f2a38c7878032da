"""The security group manager: groups, their rules, rule templates, address groups."""
