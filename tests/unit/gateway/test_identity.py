"""Who asks: a bearer's token, and a service's beside it."""

import asyncio

import pytest

from alcor.gateway.app import GatewaySettings
from alcor.gateway.identity import Known, TokenIdentity, Unauthenticated
from alcor.gateway.requests import Held, Limits, Request

MEMBER = Known("mary", "blue", False, ("member",))
SERVICE = Known("nova", "service", False, ("service",))
STRANGER = Known("steve", "red", False, ("member",))
LIMITS = Limits(**{name: getattr(GatewaySettings(), name) for name in Limits._fields})


def asked(**headers: str) -> Request:
    given = {f"x-{name}-token".encode(): text.encode() for name, text in headers.items()}
    return Request("GET", "/", b"", given, Held(b""), LIMITS)


def identity() -> TokenIdentity:
    """Mary's token has expired; the two services' have not."""

    async def known(text: str) -> Known | None:
        return {"nova": SERVICE, "steve": STRANGER}.get(text)

    async def expired(text: str) -> Known | None:
        return {"mary": MEMBER}.get(text)

    return TokenIdentity(known, "challenge", expired)


def test_a_service_vouches_for_a_token_that_has_expired() -> None:
    caller = asyncio.run(identity().caller(asked(auth="mary", service="nova"), "req"))

    assert (caller.user_id, caller.service_roles) == ("mary", ("service",))


@pytest.mark.parametrize(
    "tokens",
    [
        {"auth": "mary"},
        {"auth": "mary", "service": "steve"},  # a token, but of no service
        {"auth": "steve", "service": "made-up"},
        {"auth": "made-up", "service": "nova"},
        {"service": "nova"},
    ],
)
def test_nobody_else_gets_in(tokens: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        asyncio.run(identity().caller(asked(**tokens), "req"))
