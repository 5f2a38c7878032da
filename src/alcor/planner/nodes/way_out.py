"""A router that leaves by a host: what makes the host hold it without a machine behind it."""

from alcor.goal_state.entries import WayOut
from alcor.goal_state.slices import exit_key


def plan(host: str, router_id: str) -> tuple[str, WayOut]:
    """The entry in the host's slice."""
    return exit_key(host, router_id), WayOut(host, router_id)
