"""The monitoring manager: logs of what security groups decide."""
