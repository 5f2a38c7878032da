"""The quota manager: how much of each kind a project may have."""
