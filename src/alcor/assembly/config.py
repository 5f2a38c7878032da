"""Every setting of the control plane, in one type."""

import ipaddress
from typing import Annotated

import msgspec

from alcor.delivery.config import DeliveryConfig
from alcor.gateway.app import GatewaySettings
from alcor.integrations.designate.settings import DesignateSettings
from alcor.integrations.keystone.settings import KeystoneSettings
from alcor.integrations.nova.settings import NovaSettings
from alcor.integrations.placement.settings import PlacementSettings
from alcor.managers.elastic_ip.app import ElasticIpSettings
from alcor.managers.ip.app import IpSettings
from alcor.managers.mac.app import MacSettings
from alcor.managers.network.app import NetworkSettings
from alcor.managers.network_acl.app import NetworkAclSettings
from alcor.managers.node.app import NodeSettings
from alcor.managers.port.app import PortSettings
from alcor.managers.quota.app import QuotaSettings
from alcor.managers.router.app import RouterSettings
from alcor.managers.security_group.app import SecurityGroupSettings
from alcor.managers.subnet.app import SubnetSettings
from alcor.managers.trunk.app import TrunkSettings
from alcor.runtime.config import ConfigError, without_login
from alcor.runtime.observability.otlp import TraceSettings
from alcor.runtime.sql.places import Servers


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the process's log."""

    form: Annotated[
        str, msgspec.Meta(pattern="^(json|console)$", description="json or console")
    ] = "json"
    level: Annotated[
        str,
        msgspec.Meta(
            pattern="^(debug|info|warning|error)$", description="debug, info, warning or error"
        ),
    ] = "info"


class ServedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of `alcor serve`: the control plane as many processes."""

    nats: Annotated[
        str,
        msgspec.Meta(
            description="URL of the NATS server, as in nats://host:4222, or of those of a cluster, "
            "with commas between them"
        ),
    ] = ""
    nats_replicas: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=5,
            description="On how many servers of a cluster what NATS holds is kept; 0: on three "
            "where `nats` names three or more, else on one",
        ),
    ] = 0
    nats_credentials: Annotated[
        str, msgspec.Meta(description="File of NATS credentials; empty: none are sent")
    ] = ""
    postgres: Annotated[
        str,
        msgspec.Meta(
            description="URL of the databases, {manager} for the manager's name: "
            "postgresql://alcor@host/alcor_{manager}"
        ),
    ] = ""
    postgres_elsewhere: Annotated[
        str,
        msgspec.Meta(
            description="Databases on other servers: manager=URL, with spaces between them"
        ),
    ] = ""
    health_listen: Annotated[
        str,
        msgspec.Meta(
            description="Where managers and delivery answer /healthz, /readyz and /metrics; "
            "port 0 chooses one"
        ),
    ] = "127.0.0.1:0"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of `alcor up`."""

    data: Annotated[
        str, msgspec.Meta(description="Folder of the databases; ~ is the user's home")
    ] = "~/.local/share/alcor"
    listen: Annotated[
        str, msgspec.Meta(description="Address and port of the HTTP API; port 0 chooses one")
    ] = "127.0.0.1:9696"
    insecure: Annotated[
        bool,
        msgspec.Meta(
            description="Listen on more than the loopback though nobody is asked who they are"
        ),
    ] = False
    auth: Annotated[
        str,
        msgspec.Meta(
            pattern="^(local|tokens|keystone)$",
            description="Who is asked who they are: local (nobody), tokens (a file), keystone",
        ),
    ] = "local"
    tokens_file: Annotated[
        str, msgspec.Meta(description="TOML file of [[tokens]]: token, project_id, roles, user_id")
    ] = ""
    keystone: KeystoneSettings = KeystoneSettings()
    nova: NovaSettings = NovaSettings()
    designate: DesignateSettings = DesignateSettings()
    placement: PlacementSettings = PlacementSettings()
    agents: DeliveryConfig = DeliveryConfig()
    served: ServedSettings = ServedSettings()
    log: LogSettings = LogSettings()
    traces: TraceSettings = TraceSettings()
    gateway: GatewaySettings = GatewaySettings()
    network: NetworkSettings = NetworkSettings()
    subnet: SubnetSettings = SubnetSettings()
    port: PortSettings = PortSettings()
    ip: IpSettings = IpSettings()
    mac: MacSettings = MacSettings()
    node: NodeSettings = NodeSettings()
    security_group: SecurityGroupSettings = SecurityGroupSettings()
    network_acl: NetworkAclSettings = NetworkAclSettings()
    router: RouterSettings = RouterSettings()
    trunk: TrunkSettings = TrunkSettings()
    elastic_ip: ElasticIpSettings = ElasticIpSettings()
    quota: QuotaSettings = QuotaSettings()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def servers(config: Config) -> Servers | None:
    """The databases that are in PostgreSQL; None: they are files. `ConfigError` when malformed."""
    served = config.served
    if not served.postgres:
        return None
    if "{manager}" not in served.postgres:
        raise ConfigError(
            f"served.postgres = {without_login(served.postgres)}: each manager has a database of "
            "its own: {manager} stands for its name, as in postgresql://host/alcor_{manager}"
        )
    elsewhere = []
    for each in served.postgres_elsewhere.split():
        manager, equals, url = each.partition("=")
        if not equals:
            named = without_login(each)
            raise ConfigError(f"served.postgres_elsewhere: '{named}' is not manager=URL")
        elsewhere.append((manager, url))
    return Servers(served.postgres, tuple(elsewhere))
