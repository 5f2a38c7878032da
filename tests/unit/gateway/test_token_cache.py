"""The laws of kept tokens: how long each holds, and what happens while Keystone is down."""

import asyncio

import pytest
import structlog

from alcor.integrations.keystone.tokens import KeystoneDown, Times, Token, TokenCache
from alcor.values.errors import Unavailable

TIMES = Times(fresh=60, outage=300, retry=1)


class Keystone:
    """Knows some tokens; may be down; counts what it is asked."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.valid = {"alice"}
        self.down = False
        self.asked = 0
        self.expires_at = 10_000.0

    async def validate(self, text: str) -> Token | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise KeystoneDown("no answer")
        if text not in self.valid:
            return None
        return Token(text, "demo", False, ("member",), self.expires_at)


def cache_of(keystone: Keystone, *, held_max: int = 10, asking_max: int = 10) -> TokenCache:
    return TokenCache(
        keystone.validate, TIMES, lambda: keystone.now, held_max=held_max, asking_max=asking_max
    )


def test_keystone_is_asked_once_while_a_token_is_fresh() -> None:
    async def main() -> None:
        keystone = Keystone()
        cache = cache_of(keystone)

        await asyncio.gather(*(cache.token("alice") for _ in range(20)))
        keystone.now += 59
        token = await cache.token("alice")

        assert token is not None
        assert keystone.asked == 1

    asyncio.run(main())


def test_a_revoked_token_ends_within_the_stated_time() -> None:
    async def main() -> None:
        keystone = Keystone()
        cache = cache_of(keystone)
        await cache.token("alice")

        keystone.valid.clear()
        keystone.now += 60

        assert await cache.token("alice") is None

    asyncio.run(main())


def test_a_token_ends_when_it_expires_though_it_is_fresh() -> None:
    async def main() -> None:
        keystone = Keystone()
        keystone.expires_at = keystone.now + 10
        cache = cache_of(keystone)
        assert await cache.token("alice") is not None

        keystone.now += 10

        assert await cache.token("alice") is None

    asyncio.run(main())


def test_a_clock_that_is_put_back_keeps_no_revoked_token_and_refuses_nobody() -> None:
    async def main() -> None:
        keystone = Keystone()
        cache = cache_of(keystone)
        assert await cache.token("alice") is not None
        keystone.valid = {"bob"}
        keystone.down = True
        with pytest.raises(Unavailable):
            await cache.token("bob")
        keystone.down = False

        keystone.now -= 900

        assert await cache.token("bob") is not None  # Keystone is asked again, and answers
        assert await cache.token("alice") is None

    asyncio.run(main())


def test_a_clock_that_is_ahead_of_keystones_is_told() -> None:
    """Every token has ended by it, and is refused: the log says why."""

    async def main() -> None:
        keystone = Keystone()
        keystone.now = keystone.expires_at + 100
        assert await cache_of(keystone).token("alice") is None

    with structlog.testing.capture_logs() as said:
        asyncio.run(main())
    (line,) = said
    assert "do the clocks agree?" in line["event"]
    assert line["ended_s_ago"] == 100


def test_known_tokens_survive_an_outage_for_the_stated_time_only() -> None:
    async def main() -> None:
        keystone = Keystone()
        cache = cache_of(keystone)
        await cache.token("alice")
        keystone.down = True

        keystone.now += 299
        assert await cache.token("alice") is not None
        keystone.now += 1
        with pytest.raises(Unavailable):
            await cache.token("alice")

    asyncio.run(main())


def test_unknown_tokens_are_unavailable_in_an_outage_and_keystone_is_left_alone() -> None:
    async def main() -> None:
        keystone = Keystone()
        keystone.down = True
        cache = cache_of(keystone)

        for text in ("alice", "bob", "carol"):
            with pytest.raises(Unavailable):
                await cache.token(text)
        assert keystone.asked == 1

        keystone.down = False
        keystone.now += 1
        assert await cache.token("alice") is not None

    asyncio.run(main())


def test_no_more_tokens_are_kept_or_asked_about_than_the_limits() -> None:
    async def main() -> None:
        keystone = Keystone()
        keystone.valid = {"a", "b", "c"}
        cache = cache_of(keystone, held_max=2, asking_max=2)
        for text in ("a", "b", "c", "a"):
            await cache.token(text)
        assert keystone.asked == 4

        answers = await asyncio.gather(
            *(cache.token(text) for text in ("x", "y", "z")), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [type(None), type(None), Unavailable]

    asyncio.run(main())


def test_who_stops_waiting_does_not_stop_the_question_for_others() -> None:
    async def main() -> None:
        keystone = Keystone()
        cache = cache_of(keystone)
        first = asyncio.ensure_future(cache.token("alice"))
        second = asyncio.ensure_future(cache.token("alice"))
        await asyncio.sleep(0)

        first.cancel()

        assert await second is not None
        assert keystone.asked == 1

    asyncio.run(main())
