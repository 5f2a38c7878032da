"""LIMITED: how much may pass a router's gateway under one address, by QoS policies.

The address is a floating IP's or the router's own. Where they translate, NAT_IN, NAT_OUT and
NAT_DONE ask LIMITED once for each limit. The flow that answers has a meter and does nothing else,
so bits and packets are limited in one place. A packet that the meter drops goes no further.
"""

from collections.abc import Iterator

from alcor.agent.model.ports.qos import Limits
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.flow import Flow, apply, match


def flows(limits: Limits | None, cookie: int) -> Iterator[Flow]:
    """A flow a meter."""
    if limits is not None:
        for each in limits.meters():
            yield Flow(
                p.LIMITED, p.PRIORITY.normal, match(reg2=each.id), apply(meter=each.id), cookie
            )
