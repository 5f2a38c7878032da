"""What every service of this manager shares: its name, and the answer to a write."""

from alcor.contracts.resources import Caller
from alcor.runtime.managing.writes import written_by
from alcor.values.errors import Kind, Refusal

manager = "security_group"
written = written_by(manager)


def check_admin(caller: Caller, rule: str) -> None:
    """Refuse whoever is no administrator."""
    if not caller.admin:
        message = f"rule:{rule} is disallowed by policy"
        raise Refusal(message, type="PolicyNotAuthorized", kind=Kind.FORBIDDEN)
