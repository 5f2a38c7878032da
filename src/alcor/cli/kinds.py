"""Every kind of resource as commands call it, read from the declarations that make the API."""

from functools import cache

from alcor.client.api import Kind
from alcor.resource.declaration import Field, Resource

# What a field without a kind's name in its own refers to, by field.
_REFERS = {
    "remote_group_id": "security_group",
    "resource_id": "security_group",  # of logs
    "target_id": "port",  # of logs
}
_OTHERWISE = {"binding": "port-binding", "agent": "network-agent"}  # `alcor agent` runs one
_KEYS = ("id", "host", "type")  # the field by which one is found, where it is not the path's last
_KEY_BY_KIND = {"quota": "project_id", "network_ip_availability": "network_id"}
_CALLED_BY_KIND = {"floatingip": "floating_ip_address", "network_ip_availability": "network_name"}
_SAME_BY_ANOTHER_PATH = "alias_"
_SPELT = {word: word.upper() for word in ("acl", "dscp", "ip", "ndp", "rbac")} | {
    "acls": "ACLs",
    "ips": "IPs",
    "qos": "QoS",
    "floatingip": "floating IP",
    "floatingips": "floating IPs",
    "subnetpool": "subnet pool",
    "subnetpools": "subnet pools",
}


@cache
def resources() -> dict[str, Resource]:
    """Every kind by the name of its command, in alphabetical order."""
    from alcor.assembly.resources import declared  # which takes a while: not for `alcor agent`

    kinds = [kind for kind in declared() if not kind.name.startswith(_SAME_BY_ANOTHER_PATH)]
    by_name = {command_name(kind): kind for kind in kinds}
    return {name: by_name[name] for name in sorted(by_name)}


def command_name(kind: Resource) -> str:
    """As in `alcor security-group-rule`; a kind with a common name is called with its family's."""
    name = kind.name.replace("_", "-")
    if "/qos/" in kind.path:
        return f"qos-{name}"
    return _OTHERWISE.get(name, name)


@cache
def client_kind(name: str) -> Kind:
    """How the client asks for the kind of this command."""
    kind = resources()[name]
    return Kind(
        kind.key,
        kind.collection,
        kind.path.replace(f"{{{kind.parent}}}", "{parent}") if kind.parent else kind.path,
        key=key_of(kind),
        called=called_of(kind),
        command=name,
    )


def key_of(kind: Resource) -> str:
    """The field by which one is found; empty: a kind that is only listed."""
    if kind.name in _KEY_BY_KIND:
        return _KEY_BY_KIND[kind.name]
    return next((key for key in _KEYS if key in kind.field_by_name), "")


def called_of(kind: Resource) -> str:
    """The field by which people call one; empty: by its id alone."""
    if kind.name in _CALLED_BY_KIND:
        return _CALLED_BY_KIND[kind.name]
    named = kind.field_by_name.get("name")
    return "name" if named is not None and named.name == "name" else ""


def referred(field: str) -> str:
    """The command name of the kind that a field's ids are of; empty when it holds no ids.

    `network_id`, `floating_network_id`, `subnet_ids` and `security_groups` tell by their names.
    """
    return _referred().get(_REFERS.get(field, _stem(field)), "")


def _stem(field: str) -> str:
    if field.endswith(("_id", "_ids")):
        words = field.removesuffix("s").removesuffix("_id")
        known = [name for name in _referred() if f"_{words}".endswith(f"_{name}")]
        return max(known, key=len, default="")
    return next(
        (k.name for k in resources().values() if k.collection == field and not k.parent), ""
    )


@cache
def _referred() -> dict[str, str]:
    return {kind.name: name for name, kind in resources().items() if not kind.parent}


def parent_of(kind: Resource) -> str:
    """The command name of the kind that this one lives under; empty for most."""
    return referred(kind.parent) if kind.parent else ""


def plural(kind: Resource) -> str:
    """Several of a kind, as people say it."""
    return _said(kind, kind.collection)


def singular(kind: Resource) -> str:
    """One of a kind, as people say it."""
    return _said(kind, kind.name)


def _said(kind: Resource, name: str) -> str:
    words = command_name(kind).split("-")[: -len(kind.name.split("_"))] + name.split("_")
    return " ".join(_SPELT.get(word, word) for word in words)


def is_list(field: Field) -> bool:
    """Whether a field's value is a list; types say so by their names."""
    return field.type.name.startswith("list of ")


def keys_of(field: Field) -> list[str]:
    """Of a field of records: the names of their parts, in order; else nothing."""
    parts = field.type.name.partition("record of ")[2].removesuffix(", or null")
    return parts.split(", ") if parts else []
