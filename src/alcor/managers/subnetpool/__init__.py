"""The subnet pool manager: prefixes that subnets are cut from, and scopes where they are unique."""
