"""LIMITED: how much passes a router's gateway under one address, by QoS policies.

Of a floating IP, or of all that is translated to the router's own address. Where it is translated
NAT_IN, NAT_OUT and NAT_DONE ask LIMITED for each limit; the flow that answers has a meter and does
nothing else, so that bits and packets are limited at one place. What a meter drops goes no further.
"""

from collections.abc import Iterator

from alcor.agent import pipeline as p
from alcor.agent.qos import Limits
from alcor.ovs.flow import Flow, apply, match


def flows(limits: Limits | None, cookie: int) -> Iterator[Flow]:
    """A flow a meter."""
    if limits is not None:
        for each in limits.meters():
            yield Flow(
                p.LIMITED, p.PRIORITY.normal, match(reg2=each.id), apply(meter=each.id), cookie
            )
