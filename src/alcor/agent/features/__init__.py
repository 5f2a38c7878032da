"""Features: pure functions from a unit of the model to flows, strangers to each other."""
