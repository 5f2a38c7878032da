"""What a token says, kept for a stated time.

Keystone is asked once for a token, however many requests carry it at the same time. A token that
was revoked ends within `fresh_s`. While Keystone can't be asked, tokens that it confirmed up to
`outage_s` ago go on; others are refused as `Unavailable`.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog
from prometheus_client import Counter

from alcor.runtime.clock import Seconds
from alcor.runtime.observability.metrics import limit_reached
from alcor.values.errors import Unavailable

_log = structlog.get_logger(__name__)

checks = Counter("alcor_keystone_checks", "Tokens that Keystone was asked about.", ["outcome"])


class Token(NamedTuple):
    """What Keystone says of a valid token. Source: Identity API v3, "Validate token"."""

    user_id: str
    project_id: str  # empty: not of a project
    system: bool  # of the whole system
    roles: tuple[str, ...]  # names in lower case, implied ones included
    expires_at: float  # seconds since the epoch


class KeystoneDown(Exception):
    """Keystone can't be asked just now; the message says why."""


class Times(NamedTuple):
    """How long things hold, in seconds."""

    fresh: float  # a confirmed token needs no second look
    outage: float  # since Keystone confirmed it, while Keystone is down
    retry: float  # after Keystone failed to answer, before it is asked again


class _Held(NamedTuple):
    token: Token
    confirmed_at: float


Validate = Callable[[str], Awaitable[Token | None]]  # None: no valid token


class TokenCache:
    """Answers whose a token is, asking `validate` (which raises `KeystoneDown`) where it must."""

    def __init__(
        self, validate: Validate, times: Times, now: Seconds, *, held_max: int, asking_max: int
    ) -> None:
        self._validate = validate
        self._times = times
        self._now = now
        self._held_max = held_max
        self._asking_max = asking_max
        self._held: OrderedDict[bytes, _Held] = OrderedDict()  # the longest unused first
        self._asking: dict[bytes, asyncio.Future[Token | None]] = {}
        self._down_until = 0.0

    async def token(self, text: str) -> Token | None:
        """Of a valid token; None when it is none. `Unavailable` when nobody can tell."""
        key = hashlib.sha256(text.encode()).digest()
        held = self._held.get(key)
        now = self._now()
        if held is not None:
            self._held.move_to_end(key)
            if now >= held.token.expires_at:
                del self._held[key]
                return None
            if 0 <= now - held.confirmed_at < self._times.fresh:
                return held.token
        try:
            return await self._ask(key, text)
        except KeystoneDown as error:
            if held is not None and 0 <= now - held.confirmed_at < self._times.outage:
                return held.token
            raise Unavailable(f"The identity service can't be asked: {error}") from None

    async def _ask(self, key: bytes, text: str) -> Token | None:
        asking = self._asking.get(key)
        if asking is None:
            if 0 < self._down_until - self._now() <= self._times.retry:
                raise KeystoneDown("it did not answer a moment ago")
            if len(self._asking) >= self._asking_max:
                limit_reached.labels("auth.keystone.asking_max").inc()
                raise KeystoneDown(f"{self._asking_max} tokens are being checked already")
            asking = asyncio.ensure_future(self._confirm(key, text))
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._asked(key, done))
        # Who stops waiting must not stop the question for the others.
        return await asyncio.shield(asking)

    async def _confirm(self, key: bytes, text: str) -> Token | None:
        asked_at = self._now()
        try:
            token = await self._validate(text)
        except KeystoneDown:
            checks.labels("no_answer").inc()
            self._down_until = self._now() + self._times.retry
            raise
        checks.labels("valid" if token else "invalid").inc()
        if token is not None and token.expires_at <= self._now():
            _log.warning(
                "keystone knows a token that has ended by our clock: do the clocks agree?",
                ended_s_ago=self._now() - token.expires_at,
            )
        if token is None or token.expires_at <= self._now():
            self._held.pop(key, None)
            return None
        # As of when it was asked: what was revoked meanwhile must not count as confirmed.
        self._held[key] = _Held(token, asked_at)
        self._held.move_to_end(key)
        if len(self._held) > self._held_max:
            self._held.popitem(last=False)
        return token

    def _asked(self, key: bytes, done: "asyncio.Future[Token | None]") -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # read, also when everybody has stopped waiting
