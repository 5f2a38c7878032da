"""Thousands of simulated hosts on one control plane, over the transport that agents speak."""
