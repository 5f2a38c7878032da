"""The use cases of logs."""
