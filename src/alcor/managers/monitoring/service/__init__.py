"""The use cases of logs and mirrors."""
