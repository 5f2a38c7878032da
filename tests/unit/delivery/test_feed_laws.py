"""Whatever happens in between, a host ends with what its slices hold, and claims no more before."""

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.delivery.lives import Lives

from alcor.goal_state.slices import slice_of
from alcor.intent.records import PortRecord
from alcor.transport.link import Frame, Hello

SLICES = ("host/h1/", "network/n1/", "network/n2/")


class Region(Lives):
    """One host that reads what it is told when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        for number in (1, 2):
            port = PortRecord(
                id=f"p{number}", network_id=f"n{number}", project_id="", mac_address="", host="h1"
            )
            self.index.put(f"port/p{number}", port, 1)
        self.held: dict[str, tuple[int, bytes | None]] = {}
        self.staged: dict[str, set[str]] = {}
        self.resume: dict[str, tuple[int, int]] = {}  # what each slice is held up to

    async def begin(self) -> None:
        """A new life of the control plane: the log is filled again, perhaps with less."""
        await super().begin()
        await self.connect()

    async def connect(self) -> None:
        self.staged.clear()
        self.session = await self.feed.open(Hello("h1", "", None))
        for name in SLICES:
            await self.session.subscribe(name, *self.resume.get(name, (0, 0)))

    async def read(self, frames: int) -> None:
        async for frame in self.frames(frames):
            self.take(frame)
            await self.check(frame)

    def take(self, frame: Frame) -> None:
        for name in frame.begins:
            self.staged[name] = set()
            self.resume.pop(name, None)
            self.held = {
                key: (0, value) if slice_of(key) == name else (revision, value)
                for key, (revision, value) in self.held.items()
            }
        for key, value, revision, _ in frame.items:
            if slice_of(key) in self.staged:
                self.staged[slice_of(key)].add(key)
            if revision > self.held.get(key, (0, None))[0]:
                self.held[key] = revision, value
        for name in frame.completes:
            sent = self.staged.pop(name)
            for key in [key for key in self.held if slice_of(key) == name and key not in sent]:
                del self.held[key]
        for name in (*frame.completes, *frame.resumes, *self.resume):
            self.resume[name] = frame.epoch, frame.position

    async def check(self, frame: Frame) -> None:
        """What the frame's position claims of the slices that are complete is so."""
        for entry in (await self.goal.changes("", self.goal._held.forgotten)).entries:
            name = slice_of(entry.key)
            if self.resume.get(name, (0, 0))[0] == self.epoch and entry.position <= frame.position:
                revision, _ = self.held.get(entry.key, (0, None))
                assert revision >= entry.revision or entry.value is None

    def living(self) -> dict[str, bytes]:
        return {key: value for key, (_, value) in self.held.items() if value is not None}

    async def wanted(self) -> dict[str, bytes | None]:
        entries = (await self.goal.snapshot("")).entries
        return {entry.key: entry.value for entry in entries}


keys = st.sampled_from([f"{name}neighbour/{n}" for name in SLICES for n in range(3)])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, st.sampled_from([b"v", b"w", None])),
        st.tuples(st.just("put"), keys, st.sampled_from([b"x", None])),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.just("cut")),
        st.tuples(st.just("behind")),
        st.tuples(st.just("restart"), st.lists(keys, max_size=3)),
    ),
    max_size=40,
)


async def play(history: Sequence[tuple[object, ...]]) -> None:
    region = Region()
    await region.begin()
    for step in history:
        match step:
            case ("put", str(key), value):
                await region.say(key, value)  # type: ignore[arg-type]
            case ("read", int(frames)):
                await region.read(frames)
            case ("cut",):
                await region.session.close()
                await region.connect()
            case ("behind",):
                region.session.begin_again()  # type: ignore[attr-defined]
            case ("restart", list(living)):
                await region.begin()
                for key in living:
                    await region.say(key, b"again")
    await region.read(100)

    assert region.living() == await region.wanted()
    await region.end()


@settings(max_examples=150, deadline=None)
@given(steps)
def test_a_host_ends_with_what_its_slices_hold(history: list[tuple[object, ...]]) -> None:
    asyncio.run(play(history))
