"""How a client of a simulated region asks: what it was answered is noted in the book.

A part of `clients.py`, which says what it asks for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import msgspec

from alcor.contracts.convergence import ConvergenceRequest
from alcor.contracts.resources import Caller, Written
from alcor.simulation.clients.api import Api, Document
from alcor.simulation.clients.book import Batch, Book, Renaming, Thing
from alcor.simulation.fakes.journal import Journal
from alcor.simulation.host import Host
from alcor.values.errors import Kind, Refusal

wait_s = 10.0  # that a client waits for hosts


class Asker:
    """One who asks, of one project, and writes down what was answered."""

    def __init__(
        self,
        name: str,
        project: str,
        api: Api,
        book: Book,
        hosts: Sequence[Host],
        chance: Random,
        journal: Journal,
    ) -> None:
        self._name = name
        self._caller = Caller(project_id=project, roles=("member",))
        self._api, self._book, self._hosts = api, book, hosts
        self._chance, self._journal = chance, journal
        self._asked = 0

    async def _create(self, kind: str, items: list[Document]) -> None:
        began_s = _now_s()
        batch = Batch(kind, [item["name"] for item in items if "name" in item])
        done = await self._ask(
            f"create {kind}", lambda: self._api.create(self._caller, kind, items)
        )
        if isinstance(done, Refusal):
            unknown = done.kind is Kind.UNAVAILABLE
            (self._book.unanswered if unknown else self._book.refused).append(batch)
            return
        documents = [msgspec.json.decode(item) for item in done.items]
        if len(documents) != len(items):
            self._journal.violation("a batch is whole", asked=len(items), made=len(documents))
        self._book.made(kind, documents, began_s, _now_s())
        if kind == "port":
            for document in documents:
                self._plug(document["id"], document["binding:host_id"])
        await self._wait(done.revision)

    async def _update(self, thing: Thing, changes: Document) -> None:
        (name,) = self._names(1)
        renaming = Renaming(name, _now_s())
        thing.names.append(renaming)
        asked = {**changes, "name": name}
        done = await self._ask(
            f"update {thing.kind}",
            lambda: self._api.update(self._caller, thing.kind, thing.id, asked),
        )
        if isinstance(done, Refusal):
            if done.kind is not Kind.UNAVAILABLE:
                thing.names.remove(renaming)
            return
        renaming.answered_s = _now_s()
        document = msgspec.json.decode(done.items[0])
        if "binding:host_id" in changes:
            self._plug(thing.id, document["binding:host_id"])
        revision = document["revision_number"]
        alone = [each for each in thing.names if each.answered_s >= renaming.began_s] == [renaming]
        if alone and revision <= thing.revision:
            self._journal.violation("revisions grow", of=thing.id, held=thing.revision, to=revision)
        thing.revision = max(thing.revision, revision)
        await self._wait(done.revision)

    async def _delete(self, thing: Thing, parts: list[Thing]) -> None:
        """Delete a thing, and with it the parts that are not used."""
        affected = [each for each in (thing, *parts) if not each.may_be_gone]
        for each in affected:
            each.may_be_gone = True
        done = await self._ask(
            f"delete {thing.kind}", lambda: self._api.delete(self._caller, thing.kind, thing.id)
        )
        if not isinstance(done, Refusal):
            for each in (thing, *parts):
                each.is_gone = each.may_be_gone = True
            if thing.kind == "port":
                self._plug(thing.id, "")
        elif done.kind not in (Kind.UNAVAILABLE, Kind.NOT_FOUND):
            for each in affected:
                each.may_be_gone = False

    async def _ask(self, what: str, call: Callable[[], Awaitable[Written]]) -> Written | Refusal:
        self._journal.note("client.asks", client=self._name, what=what)
        try:
            done = await call()
        except Refusal as refusal:
            self._journal.note("client.refused", client=self._name, why=refusal.type)
            return refusal
        self._book.acknowledged(done.revision)
        self._journal.note("client.answered", client=self._name, revision=done.revision)
        return done

    async def _wait(self, revision: str) -> None:
        """Now and then, until hosts have it."""
        if self._chance.random() < 0.15:
            request = ConvergenceRequest(revision=revision, timeout_s=wait_s)
            try:
                await self._api.convergence.wait(request)
            except Refusal as refusal:
                self._journal.note("client.waited", client=self._name, why=refusal.type)

    def _plug(self, port_id: str, host: str) -> None:
        for each in self._hosts:
            if each.name == host:
                each.switch.plug(port_id)
            else:
                each.switch.unplug(port_id)

    def _names(self, count: int) -> list[str]:
        return [f"{self._name}-{self._asked}-{number}" for number in range(count)]

    def _some(self, kind: str) -> Thing | None:
        """One of the project's; now and then one whose end was asked for."""
        project = self._caller.project_id
        found = [t for t in self._book.living(kind) if t.document["project_id"] == project]
        if self._chance.random() < 0.03:
            found = [t for t in self._book.things.values() if t.kind == kind]
        return self._chance.choice(found) if found else None

    def _outside(self) -> Thing | None:
        outside = [t for t in self._book.living("network") if t.document["router:external"]]
        return outside[0] if outside else None

    def _address_in(self, subnet: Thing) -> Document:
        first = subnet.document["cidr"].rpartition(".")[0]
        chosen = {"subnet_id": subnet.id}
        if self._chance.random() < 0.7:
            chosen["ip_address"] = f"{first}.{self._chance.randint(2, 14)}"
        return chosen


def _now_s() -> float:
    return asyncio.get_running_loop().time()
