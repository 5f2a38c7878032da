"""A mirror of a port, as the hosts that know the port must know it."""

from collections.abc import Iterator

from alcor.goal_state.entries import Mirror
from alcor.goal_state.slices import mirror_key
from alcor.intent.records import PortRecord
from alcor.intent.watching_records import TapMirrorRecord
from alcor.values.addresses import address


def keys(mirror: TapMirrorRecord, port: PortRecord | None) -> Iterator[str]:
    """The keys of its entries."""
    if port is not None:
        yield from (mirror_key(host, mirror.id) for host in port.hosts)


def plan(mirror: TapMirrorRecord, port: PortRecord | None) -> Iterator[tuple[str, Mirror]]:
    """Its entries; `ValueError` when the remote end is no address."""
    remote = address(mirror.remote_ip)
    if port is None:
        return
    for host in port.hosts:
        yield (
            mirror_key(host, mirror.id),
            Mirror(
                id=mirror.id,
                host=host,
                port_id=port.id,
                remote=remote,
                erspan=mirror.erspan,
                ingress=mirror.in_tunnel,
                egress=mirror.out_tunnel,
            ),
        )
