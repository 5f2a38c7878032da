"""The use cases of logs, mirrors and taps."""
