"""A host's process: its agent, on an event loop of its own."""

import os

import uvloop

from alcor.agent.agent import run
from alcor.agent.config import AgentConfig
from alcor.runtime.observability.otlp import TraceSettings, traced


def serve(config: AgentConfig) -> None:
    """Run the agent of a host until it is told to stop."""
    with traced(TraceSettings(endpoint=config.traces_endpoint), "alcor-agent", os.environ):
        uvloop.run(run(config))
