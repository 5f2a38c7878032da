"""The monitoring manager: logs of what security groups decide, mirrors of ports, and taps."""
