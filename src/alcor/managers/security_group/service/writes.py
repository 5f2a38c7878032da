"""What every service of this manager shares: its name, and the answer to a write."""

from alcor.runtime.managing.writes import written_by

manager = "security_group"
written = written_by(manager)
