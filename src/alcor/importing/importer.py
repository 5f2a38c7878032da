"""An import as a whole: what is brought after what."""

from collections.abc import Mapping

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing import children, particular
from alcor.importing.bringing import Bringing, How
from alcor.importing.children import Children
from alcor.importing.ends import NotOffered, Source, Target
from alcor.importing.ledger import Ledger, Watch
from alcor.importing.pruning import prune, prune_rest
from alcor.importing.quotas import bring_quotas
from alcor.importing.routers import bring_interfaces, complete_networks, complete_routers
from alcor.importing.segments import Segments
from alcor.importing.subject import Subject
from alcor.importing.subjects import subjects
from alcor.resource.declaration import Resource

_TRAFFIC = (
    *("direction", "ethertype", "protocol", "port_range_min", "port_range_max"),
    *("remote_ip_prefix", "remote_group_id", "remote_address_group_id"),
    *("used_in_default_sg", "used_in_non_default_sg"),
)
_QOS = (
    *("bandwidth_limit", "dscp_marking", "minimum_bandwidth", "minimum_packet_rate"),
    "packet_rate_limit",
)
# Collections that clouds may have and that nothing here is like: where, and what they hold.
_OTHERS = {
    "/v2.0/vpn/vpnservices": ("vpnservices", "VPN services"),
    "/v2.0/vpn/ipsec-site-connections": ("ipsec_site_connections", "VPN connections"),
    "/v2.0/bgp-speakers": ("bgp_speakers", "BGP speakers"),
    "/v2.0/bgpvpn/bgpvpns": ("bgpvpns", "BGP VPNs"),
    "/v2.0/fwaas/firewall_groups": ("firewall_groups", "firewall groups"),
    "/v2.0/sfc/port_chains": ("port_chains", "port chains"),
    "/v2.0/l2-gateways": ("l2_gateways", "L2 gateways"),
}


def bring_all(
    source: Source,
    target: Target,
    kinds: Mapping[str, Resource],
    how: How,
    watch: Watch,
    *,
    pruning: bool = False,
    anew: bool = False,
) -> Ledger:
    """Bring everything, or with `how.check` say what would be done; kinds by their commands."""
    ledger = Ledger(check=how.check)
    bringing = Bringing(source, target, how, ledger, watch)
    bringing.lift_by(kinds["quota"])
    segments = Segments(bringing, kinds["segment"])
    particular.hook(bringing, kinds, segments)
    listed = subjects(kinds, anew=anew)
    left = prune(bringing, listed, kinds) if pruning else []
    for subject in listed:
        bringing.run(subject)
        if subject.title == "flat and VLAN networks":
            segments.bring()
        _complete(bringing, subject, kinds)
    _bring_templates(bringing, kinds["default-security-group-rule"])
    prune_rest(bringing, left)
    bring_quotas(bringing, kinds["quota"])
    _say_what_else(bringing)
    ledger.tallies[:] = [each for each in ledger.tallies if _counts(each)]
    return ledger


def _counts(tally: object) -> bool:
    return any(getattr(tally, name) for name in ("found", "removed", "missing", "different"))


def _complete(bringing: Bringing, subject: Subject, kinds: Mapping[str, Resource]) -> None:
    """What comes right after a kind."""
    match subject.title:
        case "QoS policies":
            for each in _QOS:
                children.bring(bringing, _rules(each, kinds))
        case "RBAC policies":
            complete_networks(bringing, kinds["network"])
        case "routers":
            bring_interfaces(bringing, kinds["port"], kinds["router"])
            complete_routers(bringing, kinds["router"])
            children.bring(bringing, _helpers(kinds))
        case "floating IPs":
            children.bring(bringing, _forwardings(kinds))
        case "local IPs":
            children.bring(bringing, _associations(kinds))


def _rules(type_: str, kinds: Mapping[str, Resource]) -> Children:
    def own(policy: Item) -> list[Item]:
        return [rule for rule in policy["rules"] if rule["type"] == type_]

    command = f"qos-{type_.replace('_', '-')}-rule"
    return Children(
        subject=Subject(title="QoS rules", kind=kinds[command]),
        parent=kinds["qos-policy"],
        inline=own,
        same_by=("type", "direction"),
    )


def _helpers(kinds: Mapping[str, Resource]) -> Children:
    return Children(
        subject=Subject(title="conntrack helpers", kind=kinds["conntrack-helper"]),
        parent=kinds["router"],
        some="conntrack_helpers",
        same_by=("protocol", "port", "helper"),
    )


def _forwardings(kinds: Mapping[str, Resource]) -> Children:
    return Children(
        subject=Subject(
            title="port forwardings", kind=kinds["port-forwarding"], shape=_one_of_each_side
        ),
        parent=kinds["floatingip"],
        some="port_forwardings",
        same_by=("protocol", "external_port", "external_port_range"),
    )


def _one_of_each_side(item: Item, wanted: Item) -> None:
    """A port, or else a range: of both only one is said."""
    for side in ("internal", "external"):
        other = f"{side}_port" if item.get(f"{side}_port") is None else f"{side}_port_range"
        wanted.pop(other, None)


def _associations(kinds: Mapping[str, Resource]) -> Children:
    return Children(
        subject=Subject(title="local IP associations", kind=kinds["port-association"]),
        parent=kinds["local-ip"],
        same_by=("fixed_port_id",),
    )


def _bring_templates(bringing: Bringing, kind: Resource) -> None:
    """The rules that new groups get here become those that they get at the source."""
    if bringing.how.projects:
        return
    templates = Children(
        subject=Subject(title="rules of new groups", kind=kind), parent=kind, same_by=_TRAFFIC
    )
    try:
        theirs = bringing.source.all(kind)
    except NotOffered:
        return
    children.level(bringing, templates, "", theirs, bringing.target.all(kind))


def _say_what_else(bringing: Bringing) -> None:
    """Name what is at the source and has nothing like it here."""
    for path, (collection, title) in _OTHERS.items():
        try:
            found = bringing.source.listed(path, collection)
        except (NotOffered, Refused):
            continue
        for item in found:
            bringing.ledger.tally(title).found += 1
            bringing.ledger.miss(title, item, "nothing here is like it")
