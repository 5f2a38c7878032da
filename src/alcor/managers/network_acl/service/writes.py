"""What both services of this manager share: its name, and the answer to a write."""

from alcor.runtime.managing.writes import written_by

manager = "network_acl"
written = written_by(manager)
