"""The host agent: goal state in, a switch that behaves accordingly out; reports back."""
