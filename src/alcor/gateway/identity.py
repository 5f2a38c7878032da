"""Who asks: how a request becomes a `Caller`.

`local` trusts whoever can reach the address: everybody is an administrator, and the project is the
body's, else the header's, else "default". `tokens` knows the tokens of one file. `keystone` asks
OpenStack's identity service.
"""

import hashlib
import tomllib
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import msgspec

from alcor.contracts.resources import Caller
from alcor.gateway.requests import Request
from alcor.runtime.config import ConfigError, file_of
from alcor.values.errors import HTTPBadRequest, Kind, Refusal

project_chars_max = 255


class Identity(Protocol):
    """Finds out who asks."""

    async def caller(self, request: Request, request_id: str) -> Caller:
        """The caller of a request; `Unauthenticated`, `Unavailable`, or 403 for a wrong scope."""
        ...


class Unauthenticated(Refusal):
    """No token, or one that is not valid. `challenge` says how to get one (RFC 9110, 11.6.1)."""

    kind = Kind.UNAUTHENTICATED

    def __init__(self, challenge: str) -> None:
        super().__init__("The request you have made requires authentication.")
        self.challenge = challenge


class Known(NamedTuple):
    """What is known of the bearer of a token."""

    user_id: str
    project_id: str
    system: bool
    roles: tuple[str, ...]


class LocalIdentity:
    """Nobody is asked."""

    async def caller(self, request: Request, request_id: str) -> Caller:
        project = request.header(b"x-project-id") or "default"
        if len(project) > project_chars_max:
            raise HTTPBadRequest(f"X-Project-Id is longer than {project_chars_max} characters")
        return Caller(project_id=project, admin=True, request_id=request_id)


LookUp = Callable[[str], Awaitable[Known | None]]  # of a token; None: not valid


class TokenIdentity:
    """The bearer of `X-Auth-Token`, and the service of `X-Service-Token` that asks for them.

    A service's own token vouches for one that has expired meanwhile, because long work such as a
    live migration outlives the token that began it: `expired` looks those up (None: no such thing).
    Source: keystonemiddleware, "Service tokens"; Identity API v3, `allow_expired`.
    """

    def __init__(self, known: LookUp, challenge: str, expired: LookUp | None = None) -> None:
        self._known = known
        self._challenge = challenge
        self._expired = expired

    async def caller(self, request: Request, request_id: str) -> Caller:
        service_roles = await self._service_roles(request.header(b"x-service-token"))
        text = request.header(b"x-auth-token")
        known = await self._known(text) if text else None
        if known is None and text and self._expired and "service" in service_roles:
            known = await self._expired(text)
        if known is None:
            raise Unauthenticated(self._challenge)
        if not known.project_id and not known.system:
            message = "A token of a project, or of the system, is needed."
            raise Refusal(message, type="PolicyNotAuthorized", kind=Kind.FORBIDDEN)
        return Caller(
            project_id=known.project_id,
            user_id=known.user_id,
            admin="admin" in known.roles,
            roles=known.roles,
            system=known.system,
            request_id=request_id,
            service_roles=service_roles,
        )

    async def _service_roles(self, text: str) -> tuple[str, ...]:
        if not text:
            return ()
        service = await self._known(text)
        if service is None:
            raise Unauthenticated(self._challenge)
        return service.roles


class _Static(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: str
    project_id: str
    roles: tuple[str, ...] = ("member", "reader")
    user_id: str = ""


class _StaticFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tokens: list[_Static]


def static_tokens(path: str) -> TokenIdentity:
    """The tokens of a TOML file: tables `[[tokens]]` of token, project_id, roles, user_id."""
    content = file_of("tokens_file", path)
    try:
        file = msgspec.convert(tomllib.loads(content.decode()), _StaticFile)
    except ValueError as error:
        raise ConfigError(f"tokens_file = {path}: {error}") from error
    known = {
        _digest(each.token): Known(each.user_id, each.project_id, False, each.roles)
        for each in file.tokens
    }

    async def look_up(text: str) -> Known | None:
        # By digest: how long a comparison takes tells nothing of the tokens.
        return known.get(_digest(text))

    return TokenIdentity(look_up, 'Token realm="alcor"')


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
