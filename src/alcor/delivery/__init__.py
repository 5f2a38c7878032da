"""Run the planner, serve slices to hosts, and know how far every host is."""
