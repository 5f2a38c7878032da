"""The keyed, compacted, ordered log: one abstraction for intent, goal state and reports."""
