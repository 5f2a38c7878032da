"""What can be done with pools, scopes and the prefixes of pools."""
