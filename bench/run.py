"""One run of the bench: how long it may take, where it works, whom it tells how far it is."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alcor.lab import namespaces, processes
from alcor.lab.layout import Layout, layout


@dataclass(frozen=True)
class Bench:
    """What a case is given."""

    folder: Path  # its own, removed afterwards
    quick: bool
    tell: Callable[[str], None]  # what is being done now

    def rounds(self, usual: int, quick: int) -> int:
        """How often to repeat."""
        return quick if self.quick else usual


@contextmanager
def bare_lab(name: str) -> Iterator[Layout]:
    """A lab's place, taken down before (a crash may have left it) and after."""
    lab = layout(name)
    take_down(lab)
    try:
        yield lab
    finally:
        take_down(lab)


def take_down(lab: Layout) -> None:
    """End what runs in the lab, and remove its namespaces and its folder."""
    # Whatever of the lab still runs does so inside its namespaces, or is known by its arguments.
    processes.stop(processes.running(lab.folder))
    names = namespaces.named(lab.prefix)
    identities = {namespaces.identity(name) for name in names}
    processes.kill(processes.inside_namespaces(identities))
    namespaces.remove(names)
    shutil.rmtree(lab.folder, ignore_errors=True)
