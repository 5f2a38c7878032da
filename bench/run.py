"""One run of the bench: how long it may take, where it works, whom it tells how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bench:
    """What a case is given."""

    folder: Path  # its own, removed afterwards
    quick: bool
    neutron: str  # endpoint of a Neutron to compare with; empty: there is none
    tell: Callable[[str], None]  # what is being done now
    rows: int = 0  # of the larger table of a comparison; 0: as the case has it

    def rounds(self, usual: int, quick: int) -> int:
        """How often to repeat."""
        return quick if self.quick else usual
