"""Alcor: a region's virtual-network control plane."""
