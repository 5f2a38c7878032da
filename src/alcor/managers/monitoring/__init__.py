"""The monitoring manager: logs of what security groups decide, and mirrors of ports."""
