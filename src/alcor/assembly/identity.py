"""Which identity the settings ask for, and who may listen where."""

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress

from alcor.assembly.config import Config, is_loopback
from alcor.gateway.identity import (
    Identity,
    Known,
    LocalIdentity,
    LookUp,
    TokenIdentity,
    static_tokens,
)
from alcor.integrations.keystone.settings import KeystoneSettings
from alcor.integrations.keystone.tokens import Times, TokenCache, Validate
from alcor.runtime.clock import Seconds
from alcor.runtime.config import ConfigError, endpoint, file_of

PASSWORD = "ALCOR_KEYSTONE_PASSWORD"  # the environment's; no setting, so that none shows it


def identity(config: Config, now: Seconds, stack: ExitStack) -> Identity:
    """Who finds out who asks; what it holds open is closed with `stack`. `ConfigError`."""
    if config.auth == "local":
        return LocalIdentity()
    if config.auth == "tokens":
        if not config.tokens_file:
            raise ConfigError("auth = tokens needs tokens_file")
        return static_tokens(config.tokens_file)
    return _keystone(config.keystone, now, stack)


def _keystone(settings: KeystoneSettings, now: Seconds, stack: ExitStack) -> Identity:
    if not settings.auth_url:
        raise ConfigError("auth = keystone needs keystone.auth_url")
    from alcor.integrations.keystone.client import KeystoneClient  # only here: it loads much

    if settings.ca_file:
        file_of("keystone.ca_file", settings.ca_file)  # else it is Keystone that seems to be away
    client = KeystoneClient(settings, service_password(settings))
    stack.callback(client.close)

    def look_up(validate: Validate) -> LookUp:
        times = Times(settings.fresh_s, settings.outage_s, settings.retry_s)
        limits = {"held_max": settings.held_max, "asking_max": settings.asking_max}
        cache = TokenCache(validate, times, now, **limits)

        async def known(text: str) -> Known | None:
            token = await cache.token(text)
            if token is None:
                return None
            return Known(token.user_id, token.project_id, token.system, token.roles)

        return known

    challenge = f'Keystone uri="{settings.auth_url}"'
    return TokenIdentity(look_up(client.token), challenge, look_up(client.expired_token))


def service_password(settings: KeystoneSettings) -> Callable[[], str]:
    """Of our service user, as its file has it whenever it is asked for.

    `ConfigError` when the operator gave none. Later on a file that can't be read changes nothing.
    """
    latest = _password(settings)

    def password() -> str:
        nonlocal latest
        with suppress(ConfigError):
            latest = _password(settings)
        return latest

    return password


def _password(settings: KeystoneSettings) -> str:
    if not settings.password_file:
        password = os.environ.get(PASSWORD, "")
    else:
        content = file_of("keystone.password_file", settings.password_file)
        try:
            password = content.decode().strip()
        except ValueError as error:
            raise ConfigError(
                f"keystone.password_file = {settings.password_file}: {error}"
            ) from None
    if not password:
        raise ConfigError(f"auth = keystone needs keystone.password_file, or {PASSWORD}")
    return password


def check_exposure(config: Config, setting: str, *, serves_hosts: bool) -> None:
    """Where nobody is asked who they are, only this machine may ask, unless the operator says so.

    `setting` names where the process answers by HTTP. `ConfigError` otherwise.
    """
    if config.insecure:
        return
    listen = config.listen if setting == "listen" else config.served.health_listen
    if config.auth == "local" and not is_loopback(endpoint(setting, listen)[0]):
        raise ConfigError(
            f"{setting} = {listen} would let everybody in, because nobody is asked who they "
            "are: listen on 127.0.0.1, set auth to keystone or tokens, or say insecure = true "
            "(--insecure)"
        )
    hosts_from, _ = endpoint("agents.listen", config.agents.listen)
    if serves_hosts and not config.agents.tls_authority and not is_loopback(hosts_from):
        raise ConfigError(
            f"agents.listen = {config.agents.listen} would give goal state to everybody: listen "
            "on 127.0.0.1, give the three agents.tls_ files, or say insecure = true (--insecure)"
        )
