"""One at a time per key, for as long as somebody wants it. Order is first come, first served."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager


class Locks:
    """A lock for every key that is in use; a key that is not costs nothing."""

    def __init__(self) -> None:
        self._lock_by_key: dict[str, asyncio.Lock] = {}
        self._users_by_key: dict[str, int] = {}

    @asynccontextmanager
    async def of_all(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Hold all of them, taken in their order so that nobody waits in a circle."""
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(self.of(key))
            yield

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Hold the key's lock."""
        lock = self._lock_by_key.setdefault(key, asyncio.Lock())
        self._users_by_key[key] = self._users_by_key.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._users_by_key[key] -= 1
            if not self._users_by_key[key]:
                del self._users_by_key[key], self._lock_by_key[key]
