"""The private IP manager: which address of which subnet is whose."""
