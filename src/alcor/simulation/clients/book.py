"""What clients asked for and were answered: what must be there at the end, may be, and must not.

An answer that never came, or says that nobody answers (503), leaves open whether it was done.
Any other refusal says that nothing was changed.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

NEVER = float("inf")

# What goes with what it refers to so; other kinds are refused to go while something refers to them.
_WHOLES: dict[str, tuple[str, ...]] = defaultdict(
    tuple,
    {
        "subnet": ("network_id",),
        "security_group_rule": ("security_group_id", "remote_group_id"),
        "tap_service": ("port_id",),
        "tap_flow": ("tap_service_id", "source_port"),
    },
)


@dataclass(slots=True)
class Renaming:
    """One name that was given to something."""

    name: str
    began_s: float
    answered_s: float = NEVER  # never: nobody knows whether it was done


@dataclass(slots=True)
class Thing:
    """A resource that a client was told of."""

    kind: str
    id: str
    document: dict[str, Any]
    names: list[Renaming]
    may_be_gone: bool = False  # somebody asked for its end, or for that of what it is part of
    is_gone: bool = False  # and was told that it has ended
    revision: int = 0  # the last that was seen of it

    def possible_names(self) -> set[str]:
        """The names that it may have now: none that a later one has certainly replaced."""
        done = [each for each in self.names if each.answered_s < NEVER]
        last_begun = max(each.began_s for each in done)
        return {each.name for each in self.names if each.answered_s >= last_begun}


@dataclass(slots=True)
class Batch:
    """Names that were asked for together, of something whose answer is not known."""

    kind: str
    names: list[str]


@dataclass(slots=True)
class Book:
    """What all clients know together."""

    things: dict[str, Thing] = field(default_factory=dict)
    unanswered: list[Batch] = field(default_factory=list)
    refused: list[Batch] = field(default_factory=list)
    last_by_manager: dict[str, int] = field(default_factory=dict)  # acknowledged sequences
    answers: int = 0

    def made(
        self, kind: str, documents: Iterable[dict[str, Any]], began_s: float, answered_s: float
    ) -> None:
        """A creation was acknowledged."""
        for document in documents:
            names = [Renaming(document.get("name", ""), began_s, answered_s)]
            thing = Thing(kind, document["id"], document, names)
            thing.revision = document.get("revision_number", 0)
            self.things[thing.id] = thing

    def living(self, kind: str) -> list[Thing]:
        """Those of a kind whose end nobody asked for."""
        return [t for t in self.things.values() if t.kind == kind and not t.may_be_gone]

    def acknowledged(self, revision: str) -> None:
        """A write was acknowledged, with the revision to wait for."""
        self.answers += 1
        manager, _, sequence = revision.rpartition(":")
        if manager:
            held = self.last_by_manager.get(manager, 0)
            self.last_by_manager[manager] = max(held, int(sequence))

    def may_be_gone(self, thing: Thing) -> bool:
        """Whether it, or what it is a part of, may have come to its end."""
        wholes = map(thing.document.get, _WHOLES[thing.kind])
        return thing.may_be_gone or any(
            self.may_be_gone(each)
            for id_ in wholes
            if (each := self.things.get(str(id_))) is not None
        )

    def of_network(self, network_id: str) -> list[Thing]:
        """The subnets and ports of a network."""
        return [t for t in self.things.values() if t.document.get("network_id") == network_id]
