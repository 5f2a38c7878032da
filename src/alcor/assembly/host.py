"""A host's process: its agent, on an event loop of its own."""

import uvloop

from alcor.agent.agent import run
from alcor.agent.config import AgentConfig


def serve(config: AgentConfig) -> None:
    """Run the agent of a host until it is told to stop."""
    uvloop.run(run(config))
