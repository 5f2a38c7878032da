import asyncio, random
from alcor import __version__
from alcor.agent.agent import Agent, run_until_stopped
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Hello
from alcor.values.addresses import address
def serve(config):
    async def go():
        link = GrpcLink(config.control_plane, Hello(config.host, __version__, address(config.tunnel_ip)), chance=random.random)
        await run_until_stopped(Agent(config, link))
    asyncio.run(go())
