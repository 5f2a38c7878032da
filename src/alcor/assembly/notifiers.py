"""Which services of others are told of what we do, and as whom."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from alcor.assembly.config import Config
from alcor.assembly.control import ManagerApp
from alcor.assembly.identity import service_password
from alcor.intent.follow import Ready
from alcor.keyed_log.log import KeyedLog
from alcor.runtime.sql.places import Place

if TYPE_CHECKING:
    from keystoneauth1.session import Session

Making = Callable[[Ready], ManagerApp]


def notifiers(
    config: Config, place: Place, intent: KeyedLog, reports: KeyedLog, stack: ExitStack
) -> Iterator[Making]:
    """What makes each notifier whose endpoint is set; its client is closed with `stack`.

    With Keystone it is our service user that speaks; otherwise nobody in particular. `ConfigError`.
    """
    if config.nova.endpoint:
        yield _nova(config, place, intent, reports, stack)
    if config.designate.endpoint:
        yield _designate(config, place, intent, stack)
    if config.placement.endpoint:
        yield _placement(config, place, intent, reports, stack)


def _nova(
    config: Config, place: Place, intent: KeyedLog, reports: KeyedLog, stack: ExitStack
) -> Making:
    # Only here: these load much.
    from alcor.integrations.nova.app import NovaApp
    from alcor.integrations.nova.client import NovaClient

    settings = config.nova
    session = _session(config, settings.timeout_s)
    client = NovaClient(session, settings.endpoint, authenticated=_is_authenticated(config))
    stack.callback(client.close)
    return partial(NovaApp, place, intent, reports, client=client, settings=settings)


def _designate(config: Config, place: Place, intent: KeyedLog, stack: ExitStack) -> Making:
    from alcor.integrations.designate.app import DesignateApp
    from alcor.integrations.designate.client import DesignateClient

    settings = config.designate
    client = DesignateClient(
        _session(config, settings.timeout_s),
        settings.endpoint,
        authenticated=_is_authenticated(config),
        calls_max=settings.calls_max,
        zone_email=settings.zone_email,
    )
    stack.callback(client.close)
    return partial(DesignateApp, place, intent, client=client, settings=settings)


def _placement(
    config: Config, place: Place, intent: KeyedLog, reports: KeyedLog, stack: ExitStack
) -> Making:
    from alcor.integrations.placement.app import PlacementApp
    from alcor.integrations.placement.client import PlacementClient

    settings = config.placement
    client = PlacementClient(
        _session(config, settings.timeout_s),
        settings.endpoint,
        authenticated=_is_authenticated(config),
        calls_max=settings.calls_max,
    )
    stack.callback(client.close)
    return partial(PlacementApp, place, intent, reports, client=client, settings=settings)


def _is_authenticated(config: Config) -> bool:
    return config.auth == "keystone"


def _session(config: Config, timeout_s: float) -> "Session":
    from keystoneauth1.session import Session

    from alcor.integrations.keystone.client import service_session

    if _is_authenticated(config):
        return service_session(config.keystone, service_password(config.keystone), timeout_s)
    return Session(timeout=timeout_s, user_agent="alcor")
