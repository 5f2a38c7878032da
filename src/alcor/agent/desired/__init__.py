"""Desired state: the slices that a host holds, and its memory of them on disk."""
