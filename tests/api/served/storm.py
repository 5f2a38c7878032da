"""Load on a region whose processes are killed, and what must be true of it in the end.

Clients make, change and delete ports. They remember what was acknowledged, and what they don't
know: what had no answer, or 503, may have been done once or not at all.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from itertools import count
from random import Random
from threading import Event, Lock, Thread
from typing import Any

from tests.api.served.conftest import Answer, Region

retry_s = 0.2  # after which a client whose request was put off, or not answered, comes again
wait_s_max = 240.0  # for what must come about by itself


class Book:
    """What clients know of the ports that they asked for, by name."""

    def __init__(self) -> None:
        self.living: dict[str, str] = {}  # made, and never asked to be deleted: their ids
        self.gone: set[str] = set()  # deleted
        self.unknown: set[str] = set()  # may be, or may not
        self.words: dict[str, set[str]] = {}  # what a port may be described as
        self.faults: list[str] = []
        self.attempts = 0
        self.acknowledged = 0
        self.put_off = 0  # by 503 with Retry-After
        self.unanswered = 0


class Storm:
    """Clients of a region, each in a thread."""

    def __init__(self, region: Region, network_id: str, hosts: list[str], seed: int) -> None:
        self.book = Book()
        self._region = region
        self._network_id = network_id
        self._hosts = hosts
        self._seed = seed
        self._numbers = count()
        self._lock = Lock()
        self._stopped = Event()
        self._threads: list[Thread] = []

    def begin(self, clients: int) -> None:
        for n in range(clients):
            thread = Thread(target=self._work, args=(Random(f"{self._seed}-{n}"),))
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _work(self, random: Random) -> None:
        while not self._stopped.is_set():
            if random.random() < 0.15:
                self._make([f"p{next(self._numbers)}" for _ in range(5)], random)
                continue
            (name,) = names = [f"p{next(self._numbers)}"]
            if not self._make(names, random):
                self._stopped.wait(retry_s)
                continue
            if random.random() < 0.5:
                self._describe(name, f"word {random.random()}")
            if random.random() < 0.4:
                self._delete(name)

    def _make(self, names: list[str], random: Random) -> bool:
        """Make ports in one call, all of them or none; whether they are there."""
        host = random.choice(self._hosts)
        ports = [
            {"network_id": self._network_id, "name": name, "binding:host_id": host}
            for name in names
        ]
        answer = self._ask(201, "POST", "/v2.0/ports", {"ports": ports})
        with self._lock:
            if answer is None:
                self.book.unknown |= set(names)
                return False
            for port in answer.body["ports"]:
                self.book.living[port["name"]] = port["id"]
                self.book.words[port["name"]] = {""}
        return True

    def _describe(self, name: str, word: str) -> None:
        path = f"/v2.0/ports/{self.book.living[name]}"
        answer = self._ask(200, "PUT", path, {"port": {"description": word}})
        with self._lock:
            before = self.book.words[name]
            self.book.words[name] = {word} if answer is not None else before | {word}

    def _delete(self, name: str) -> None:
        with self._lock:
            id_ = self.book.living.pop(name)
            self.book.unknown.add(name)
        if self._ask(204, "DELETE", f"/v2.0/ports/{id_}") is not None:
            with self._lock:
                self.book.unknown.remove(name)
                self.book.gone.add(name)

    def _ask(self, wanted: int, method: str, path: str, body: object = None) -> Answer | None:
        """The answer; None when nobody knows whether it was done."""
        answer = None
        with suppress(OSError, HTTPException):
            answer = self._region.ask(method, path, body)
        with self._lock:
            self.book.attempts += 1
            if answer is None:
                self.book.unanswered += 1
                return None
            if answer.status == 503 and answer.retry_after:
                self.book.put_off += 1
                return None
            if answer.status != wanted:
                self.book.faults.append(f"{method} {path}: {answer}")
                return None
            self.book.acknowledged += 1
            return answer


def until(read: Callable[[], Any], holds: Callable[[Any], bool], region: Region) -> Any:
    """What is read, once it is so; who has ended meanwhile is started again."""
    end = time.monotonic() + wait_s_max
    pause = Event()
    found: Any = None
    while time.monotonic() < end:
        region.start_again()
        with suppress(OSError, HTTPException):
            found = read()
            if holds(found):
                return found
        pause.wait(0.1)
    raise AssertionError(found)


def check(book: Book, ports: list[dict[str, Any]]) -> None:
    """Nothing that was acknowledged is lost, and nothing is doubled or half done."""
    names = [port["name"] for port in ports]
    assert book.faults == []
    assert len(names) == len(set(names))
    assert set(book.living) <= set(names), set(book.living) - set(names)
    assert not book.gone & set(names)
    assert set(names) <= set(book.living) | book.unknown
    for port in ports:
        if port["name"] in book.living:
            assert port["id"] == book.living[port["name"]]
            assert port["description"] in book.words[port["name"]]
    addresses = [ip["ip_address"] for port in ports for ip in port["fixed_ips"]]
    assert len(addresses) == len(set(addresses)) == len(ports)
    assert len({port["mac_address"] for port in ports}) == len(ports)
