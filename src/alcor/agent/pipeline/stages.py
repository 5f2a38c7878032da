"""What a stage of the pipeline is, and how stages get the numbers of their tables. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Stage:
    """One table: what it decides, which registers it may read and set, what happens on a miss."""

    name: str
    purpose: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    miss: str | None = None  # the stage that a packet without a match goes to; None drops it
    miss_means: str = ""
    next: tuple[str, ...] = ()  # stages that its flows may go to
    again: tuple[str, ...] = ()  # earlier stages that it has the packet looked up in, as if new
    calls: tuple[str, ...] = ()  # stages that are asked, and come back here
    table: int = field(default=-1)  # computed by `number`


class Phase(NamedTuple):
    """Stages that belong together, and the first table number of them."""

    first_table: int
    stages: tuple[Stage, ...]


def number(phases: Iterable[Phase]) -> tuple[Stage, ...]:
    """The stages with their tables; `ValueError` when phases overlap or a way leads back."""
    stages: list[Stage] = []
    for phase in phases:
        if stages and phase.first_table <= stages[-1].table:
            raise ValueError(f"phase {phase.first_table} overlaps with the one before it")
        for offset, stage in enumerate(phase.stages):
            values = {name: getattr(stage, name) for name in Stage.__slots__}
            stages.append(Stage(**{**values, "table": phase.first_table + offset}))
    tables = {stage.name: stage.table for stage in stages}
    for stage in stages:
        for target in (*stage.next, *stage.calls, *filter(None, (stage.miss,))):
            if tables[target] <= stage.table:
                raise ValueError(f"{stage.name} can't go back to {target}")
        for target in stage.again:
            if tables[target] > stage.table:
                raise ValueError(f"{stage.name} goes on to {target}, not again")
    return tuple(stages)


class Priority(NamedTuple):
    """Named places inside a stage; the greater is looked at first."""

    lowest: int = 25
    low: int = 50
    normal: int = 100
    high: int = 200
    guard: int = 300


PRIORITY = Priority()
