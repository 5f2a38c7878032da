"""The world outside of a lab: a physical network that hosts have an uplink to, and who is there.

One namespace is all of it: the bridge that joins the uplinks, and the machine behind the bridge,
which is the gateway of the external network and has an address beyond it. An operator would make
the hosts' bridge `br-ext` as it is made here; the patch ports to it are the agent's.
"""

from alcor.lab import hosts, namespaces
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import vsctl
from alcor.lab.interfaces import checksum_in_software, forward_packets
from alcor.lab.layout import LabHost, Layout

physical_network, bridge = "ext", "br-ext"
mtu = 1500
cidr, cidr6 = "203.0.113.0/24", "2001:db8:ff::/64"
gateway, gateway6 = "203.0.113.1", "2001:db8:ff::1"
beyond, beyond6 = "198.51.100.1", "2001:db8:beef::1"  # reached by the gateway only
mac = "02:a1:c0:ff:00:01"


def rack(host: LabHost) -> str:
    """The physical network of a host whose uplink is not to the one of all."""
    return f"rack{host.number}"


def build(lab: Layout, uplinked: list[LabHost]) -> None:
    """Make the world outside, and the uplinks of these hosts, which run."""
    if not uplinked:
        return
    space = lab.outside_namespace
    namespaces.create([space])
    ip_batch(
        [
            f"link add ext0 netns {host.namespace} mtu {mtu} type veth"
            f" peer name {host.name} mtu {mtu} netns {space}"
            for host in uplinked
        ]
    )
    joined = [f"link set {host.name} master br0 up" for host in uplinked]
    ip_batch(
        [
            f"link add br0 mtu {mtu} address {mac} type bridge mcast_snooping 0",
            "link set lo up",
            "link set br0 up",
            *joined,
            f"addr add {gateway}/24 dev br0",
            f"addr add {gateway6}/64 dev br0 nodad",
            f"addr add {beyond}/32 dev lo",
            f"addr add {beyond6}/128 dev lo nodad",
        ],
        space,
    )
    with namespaces.inside(space):
        checksum_in_software("br0")
        forward_packets()
    hosts.each(_plug, uplinked)


def _plug(host: LabHost) -> None:
    ip_batch(["link set ext0 up"], host.namespace)
    with namespaces.inside(host.namespace):
        checksum_in_software("ext0")
    vsctl(
        host,
        *("--", "add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=netdev"),
        *("fail_mode=standalone", "--", "add-port", bridge, "ext0"),
    )
