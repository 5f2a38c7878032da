"""Whether Nova is told, and as whom."""

from contextlib import ExitStack

from keystoneauth1.session import Session

from alcor.assembly.config import Config
from alcor.assembly.identity import service_password
from alcor.integrations.keystone.client import service_session
from alcor.integrations.nova.client import NovaClient


def nova_client(config: Config, stack: ExitStack) -> NovaClient | None:
    """The client; closed with `stack`. None when no endpoint is set. `ConfigError`.

    With Keystone it is our service user that speaks; otherwise nobody in particular.
    """
    settings = config.nova
    if not settings.endpoint:
        return None
    if config.auth == "keystone":
        password = service_password(config.keystone)
        session = service_session(config.keystone, password, settings.timeout_s)
    else:
        session = Session(timeout=settings.timeout_s, user_agent="alcor")
    authenticated = config.auth == "keystone"
    client = NovaClient(session, settings.endpoint, authenticated=authenticated)
    stack.callback(client.close)
    return client
