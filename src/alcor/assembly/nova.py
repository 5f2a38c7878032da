"""Whether Nova is told, and as whom."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from alcor.assembly.config import Config
from alcor.assembly.control import ManagerApp
from alcor.assembly.identity import service_password
from alcor.intent.follow import Ready
from alcor.keyed_log.log import KeyedLog
from alcor.runtime.places import Place


def notifier(
    config: Config, place: Place, intent: KeyedLog, reports: KeyedLog, stack: ExitStack
) -> Callable[[Ready], ManagerApp] | None:
    """What makes the notifier; its client is closed with `stack`. None when no endpoint is set.

    With Keystone it is our service user that speaks; otherwise nobody in particular. `ConfigError`.
    """
    settings = config.nova
    if not settings.endpoint:
        return None
    # Only here: these load much.
    from keystoneauth1.session import Session

    from alcor.integrations.keystone.client import service_session
    from alcor.integrations.nova.app import NovaApp
    from alcor.integrations.nova.client import NovaClient

    authenticated = config.auth == "keystone"
    if authenticated:
        password = service_password(config.keystone)
        session = service_session(config.keystone, password, settings.timeout_s)
    else:
        session = Session(timeout=settings.timeout_s, user_agent="alcor")
    client = NovaClient(session, settings.endpoint, authenticated=authenticated)
    stack.callback(client.close)
    return partial(NovaApp, place, intent, reports, client=client, settings=settings)
