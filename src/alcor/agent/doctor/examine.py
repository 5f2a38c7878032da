"""All checks of a host, one after the other; what one needs of another that failed is left out."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from alcor.agent.agent import credentials_of, endpoint_of, tls_of, wish_of
from alcor.agent.config import AgentConfig
from alcor.agent.doctor import certificate, control, memory, switch
from alcor.agent.doctor.finding import Finding, Health, fault, unknown
from alcor.agent.doctor.memory import Remembered
from alcor.agent.doctor.switch import Seen
from alcor.agent.doctor.underlay import Underlay, underlay_faults, userspace_faults
from alcor.agent.drivers import bridge
from alcor.agent.drivers.bridge import Wish
from alcor.ovs.channel import Disconnected, Refused
from alcor.ovs.connection import OpenFlow
from alcor.ovs.openflow.flows import FlowBody, FlowKey
from alcor.transport.tls import TlsFiles

looks_max, look_again_s = 3, 1.0  # at flows: an agent may be changing them just now


async def examine(
    config: AgentConfig, endpoint: str, now_s: Callable[[], float], underlay: Underlay | OSError
) -> list[Finding]:
    """Look at everything; `underlay` is how the tunnel address could be opened, or why not."""
    wish = wish_of(config)
    rundir = Path(config.ovs_rundir)
    seen, found = await switch.look(rundir, wish)
    remembered, recalled = memory.recall(Path(config.state_dir), config.host)
    found += recalled
    if seen is not None and remembered is not None:
        found += switch.interface_faults(seen.rows, wish, list(remembered.ports()))
        found += switch.copies_faults(seen.rows, wish, remembered.model.kinds_of_copies)
        memory.plug_in(remembered, seen.rows, wish)
        found += switch.queue_faults(seen.rows, wish, remembered.model.queues)
    if seen is not None and bridge.row_of(seen.rows, wish) is not None:
        found += await _flows(config, wish, seen, remembered)
    found += await _underlay(config, underlay, remembered)
    if seen is not None and remembered is not None and (bridges := seen.userspace_bridges(wish)):
        endpoints = remembered.endpoints(endpoint_of(config.tunnel_ip))
        found += await userspace_faults(rundir, endpoints, bridges)
    if (files := tls_of(config)) is not None:
        found += certificate.looked_at(files, config.host, now_s())
    if (credentials := credentials_of(config)) is not None:
        found.append(certificate.credentials_looked_at(credentials, now_s()))
    for each in config.control_plane.split(","):
        found.append(await control.reachable(each.strip(), trust_of(files, each)))
    found.append(await control.clock(endpoint, now_s))
    return found


def trust_of(files: TlsFiles | None, control_plane: str) -> ssl.SSLContext | None:
    """For who is met by gRPC; None where the host's own files are at fault, which is told apart."""
    if files is None or "://" in control_plane:
        return None
    with suppress(OSError):
        context = files.client_context()
        context.set_alpn_protocols(["h2"])
        return context
    return None


async def _flows(
    config: AgentConfig, wish: Wish, seen: Seen, remembered: Remembered | None
) -> list[Finding]:
    """Whether the switch answers, and has the flows that it must have."""
    socket = Path(config.ovs_rundir) / f"{config.bridge}.mgmt"
    found: list[Finding] = []
    for number in range(looks_max):
        try:
            there = await _read_back(socket)
        except (OSError, Disconnected, Refused) as error:
            says = f"ovs-vswitchd does not answer for {config.bridge} at {socket}: {error}"
            return [
                fault("switch", says, "start Open vSwitch, or read in its log why it has ended")
            ]
        if remembered is None:
            return [unknown("flows", "without a goal state nobody knows what they must be")]
        if differs := memory.release_differs(remembered):
            return [differs]
        found = memory.flow_faults(memory.flows_wanted(remembered, seen.rows, wish), there)
        if all(each.health is Health.GOOD for each in found):
            break
        if number < looks_max - 1:
            await asyncio.sleep(look_again_s)
            remembered, _ = memory.recall(Path(config.state_dir), config.host)
            seen = (await switch.look(Path(config.ovs_rundir), wish))[0] or seen
    return found


async def _read_back(socket: Path) -> dict[FlowKey, FlowBody]:
    session = await OpenFlow.connect(socket)
    try:
        return await session.flows()
    finally:
        session.close()


async def _underlay(
    config: AgentConfig, underlay: Underlay | OSError, remembered: Remembered | None
) -> list[Finding]:
    own = endpoint_of(config.tunnel_ip)  # `ConfigError` when it is none
    if isinstance(underlay, PermissionError):
        return [unknown("tunnels", "only root can ask other hosts whether they are there")]
    if isinstance(underlay, OSError):
        says = f"this host has no address {own}: {underlay.strerror}"
        return [fault("tunnels", says, "give it the address, or correct tunnel_ip")]
    if remembered is None:
        return [unknown("tunnels", "without a goal state no other host is known")]
    endpoints, needed = remembered.endpoints(own), remembered.bytes_needed()
    return await asyncio.to_thread(underlay_faults, underlay, endpoints, needed)
