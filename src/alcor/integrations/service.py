"""A service of OpenStack as ours call it: by our service user, a few calls at once.

Source: "Common response codes" of OpenStack's API guidelines.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from keystoneauth1 import exceptions
from keystoneauth1.session import Session

T = TypeVar("T")
_again = {401, 403, 408, 429}  # the first two are the operator's to mend: then it works


class Answer(NamedTuple):
    """What a service answers."""

    status: int
    content: bytes


class Service:
    """Calls in threads of its own, because keystoneauth1 blocks.

    `down` is raised when the service did not answer or has no time: all is to be tried again.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        down: type[Exception],
        *,
        authenticated: bool,
        calls_max: int,
    ) -> None:
        self._session = session
        self._down = down
        self._authenticated = authenticated
        self._threads = ThreadPoolExecutor(calls_max, name)

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do what calls the service; as many at once as it may have."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def close(self) -> None:
        """Wait for the calls in progress, and start no more."""
        self._threads.shutdown(cancel_futures=True)

    def call(self, method: str, url: str, headers: Mapping[str, str] = {}, **what: Any) -> Answer:
        """What it answers, of which it is not to be asked again: also refusals; `down`."""
        try:
            answer = self._session.request(
                url,
                method,
                headers={"Accept": "application/json", **headers},
                raise_exc=False,
                authenticated=self._authenticated,
                log=False,
                **what,
            )
        except exceptions.ClientException as error:
            raise self._down(type(error).__name__) from error
        if answer.status_code in _again or answer.status_code >= 500:
            raise self._down(f"it answered {answer.status_code}")
        return Answer(answer.status_code, answer.content)
