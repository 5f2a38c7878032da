"""Ask Keystone about tokens, as a service user of ours. Source: Identity API v3."""

import asyncio
import math
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import msgspec
import structlog
from keystoneauth1 import exceptions
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from alcor.integrations.keystone.settings import KeystoneSettings
from alcor.integrations.keystone.tokens import KeystoneDown, Token

_log = structlog.get_logger("alcor.keystone")

_TOKEN = re.compile(r"[!-~]{1,16384}")  # what a header can carry


class _ServiceUser(v3.Password):
    """Signs in with the password as it is by then: it may be changed under us."""

    def __init__(self, settings: KeystoneSettings, password: Callable[[], str]) -> None:
        super().__init__(
            auth_url=settings.auth_url,
            username=settings.username,
            password=password(),
            user_domain_name=settings.user_domain_name,
            project_name=settings.project_name,
            project_domain_name=settings.project_domain_name,
        )
        self._password = password

    def get_auth_ref(self, session: Session) -> AccessInfoV3:
        (method,) = self.auth_methods
        assert isinstance(method, v3.PasswordMethod)
        method.password = self._password()
        return super().get_auth_ref(session)


def service_session(
    settings: KeystoneSettings, password: Callable[[], str], timeout_s: float
) -> Session:
    """A session of our service user, for any service of the same cloud."""
    user = _ServiceUser(settings, password)
    verify = str(Path(settings.ca_file).expanduser()) if settings.ca_file else True
    return Session(auth=user, verify=verify, timeout=timeout_s, user_agent="alcor")


class _Named(msgspec.Struct):
    id: str = ""
    name: str = ""


class _Content(msgspec.Struct):
    user: _Named
    expires_at: str
    roles: list[_Named] = []
    project: _Named | None = None
    system: dict[str, bool] = {}


class _Answer(msgspec.Struct):
    token: _Content


_decode = msgspec.json.Decoder(_Answer).decode


class KeystoneClient:
    """Checks tokens in threads of its own, because keystoneauth1 blocks."""

    def __init__(self, settings: KeystoneSettings, password: Callable[[], str]) -> None:
        self._username = settings.username
        self._url = f"{settings.auth_url.rstrip('/')}/auth/tokens?nocatalog"
        self._session = service_session(settings, password, settings.timeout_s)
        self._threads = ThreadPoolExecutor(settings.threads, "keystone")

    async def token(self, text: str) -> Token | None:
        """What Keystone says of a token; None when it is not valid. `KeystoneDown`."""
        return await self._in_thread(self._url, text)

    async def expired_token(self, text: str) -> Token | None:
        """The same of a token that may have expired; how long ago, Keystone limits."""
        token = await self._in_thread(f"{self._url}&allow_expired=1", text)
        return token and token._replace(expires_at=math.inf)

    async def _in_thread(self, url: str, text: str) -> Token | None:
        if _TOKEN.fullmatch(text) is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._ask, url, text)

    def close(self) -> None:
        """Wait for the calls in progress, and start no more."""
        self._threads.shutdown(cancel_futures=True)

    def _ask(self, url: str, text: str) -> Token | None:
        headers = {"X-Subject-Token": text, "Accept": "application/json"}
        try:
            # No log: headers carry tokens. A 401 of our own token is tried again with a new one.
            answer = self._session.get(url, headers=headers, raise_exc=False, log=False)
        except exceptions.Unauthorized as error:
            _log.error("keystone refuses our service user", username=self._username, why=str(error))
            raise KeystoneDown("it refuses the service user of the network service") from error
        except exceptions.ClientException as error:
            _log.warning("keystone does not answer", error=type(error).__name__, why=str(error))
            raise KeystoneDown(type(error).__name__) from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            _log.warning("keystone refuses to check tokens", status=answer.status_code)
            raise KeystoneDown(f"it answered {answer.status_code}")
        return _token(answer.content)


def _token(content: bytes) -> Token:
    try:
        said = _decode(content).token
        expires_at = datetime.fromisoformat(said.expires_at).timestamp()
    except ValueError as error:
        raise KeystoneDown("its answer can't be read") from error
    return Token(
        user_id=said.user.id,
        project_id=said.project.id if said.project else "",
        system=said.system.get("all", False),
        roles=tuple(role.name.lower() for role in said.roles),
        expires_at=expires_at,
    )
