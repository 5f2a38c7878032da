"""A host's process: its agent, on an event loop of its own."""

import uvloop

from alcor.agent.agent import run
from alcor.agent.config import AgentConfig
from alcor.runtime.memory import settle_memory


def serve(config: AgentConfig) -> None:
    """Run the agent of a host until it is told to stop."""
    settle_memory()  # flows by the ten thousand are not garbage
    uvloop.run(run(config))
