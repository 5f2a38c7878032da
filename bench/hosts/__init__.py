"""How soon hosts obey: flows in switches, packets between machines; beside OVN and OVS's tools."""
