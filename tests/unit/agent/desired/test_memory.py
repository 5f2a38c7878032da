"""The host's memory is written soon after a change, however slow the disk; a large one later."""

import asyncio
from pathlib import Path

import pytest

from alcor.agent.desired.memory import Memory, save_bytes_per_s_max, save_pause_s
from alcor.agent.desired.state import SavedState
from alcor.simulation.fakes.clock import VirtualLoop

STATE = SavedState(host="h1", slices=[])
writing_s = 2.0  # a disk, or a computer, that others keep busy


class SlowMemory(Memory):
    """Changes while it writes, so that it is to be written again."""

    def __init__(self, folder: Path, loop: VirtualLoop, unsaved: asyncio.Event, size: int) -> None:
        super().__init__(folder)
        self._loop, self._unsaved, self._size = loop, unsaved, size
        self.began_s: list[float] = []

    def save(self, what: SavedState) -> int:
        self.began_s.append(self._loop.time())
        self._loop.advance(writing_s)
        self._unsaved.set()
        return self._size


@pytest.mark.parametrize(
    ("size", "pause_s"), [(10_000, save_pause_s), (3 * save_bytes_per_s_max, 3.0)]
)
def test_how_soon_it_is_written_again_is_a_matter_of_its_size_only(
    tmp_path: Path, size: int, pause_s: float
) -> None:
    loop = VirtualLoop()

    async def story() -> list[float]:
        unsaved = asyncio.Event()
        unsaved.set()
        memory = SlowMemory(tmp_path, loop, unsaved, size)
        keeping = asyncio.create_task(memory.keep(unsaved, lambda: STATE))
        await asyncio.sleep(4 * (writing_s + pause_s))
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        return memory.began_s

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        began_s = runner.run(story())

    again_s = writing_s + pause_s
    assert began_s[:3] == pytest.approx([0.0, again_s, 2 * again_s])
