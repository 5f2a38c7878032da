"""Whatever is asked of a subnet in whatever order: no address is doubled, none is lost."""

from collections.abc import Set

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alcor.managers.ip.model import AddressPool, Range, Space, block_size
from alcor.values.addresses import prefix
from alcor.values.errors import Refusal

BASE = 10 << 24
# Around the borders of blocks, where the arithmetic can go wrong.
OFFSETS = [*range(1, 7), *range(block_size - 3, block_size + 4), *range(2 * block_size, 8195)]


class SubnetMachine(RuleBasedStateMachine):
    """A model: the plain set of what is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[int, int] = {}
        self.full_blocks: set[int] = set()
        self.taken: set[int] = set()

    @initialize(
        bounds=st.lists(st.sampled_from(OFFSETS), min_size=2, max_size=6, unique=True).map(sorted),
        reserved=st.sets(st.sampled_from(OFFSETS), max_size=2),
    )
    def make(self, bounds: list[int], reserved: set[int]) -> None:
        pairs = zip(bounds[::2], bounds[1::2], strict=False)
        ranges = tuple(Range(BASE + first, BASE + last) for first, last in pairs)
        keep = frozenset(BASE + offset for offset in reserved)
        self.pool = AddressPool("subnet", "network", prefix("10.0.0.0/8"), ranges, keep)
        self.choosable = {n for r in ranges for n in range(r.first, r.last + 1)} - keep
        self.space = Space(self.pool, ranges[0].first, 0, self)

    def bits(self, block: int) -> int:
        return self.kept.get(block, 0)

    def full(self) -> Set[int]:
        return self.full_blocks

    @rule()
    def save_and_read_again(self) -> None:
        for block in self.space.changed:
            self.kept[block] = self.space.bits(block)
            free = self.space.free_in(block)
            (self.full_blocks.discard if free else self.full_blocks.add)(block)
        self.space = Space(self.pool, self.space.cursor, self.space.used, self)

    @rule(count=st.integers(1, 3000), at_once=st.integers(1, 5000))
    def take_runs(self, count: int, at_once: int) -> None:
        while count > 0:
            run = self.space.take_run(at_once)
            if not run:
                assert self.choosable <= self.taken
                return
            assert len(run) <= at_once
            assert set(run) <= self.choosable - self.taken
            self.taken.update(run)
            count -= len(run)

    @rule(offset=st.sampled_from([0, *OFFSETS]))
    def take_by_name(self, offset: int) -> None:
        number = BASE + offset
        possible = offset and number not in self.taken
        try:
            self.space.take(number)
        except Refusal:
            assert not possible
        else:
            assert possible
            self.taken.add(number)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.taken)[:50] + sorted(self.taken)[-50:]))
        self.space.give_back(number)
        self.taken.discard(number)
        free = self.choosable - self.taken
        if not free:
            return
        # Next-fit: the cursor goes round, so what was given back waits until its turn comes.
        expected = min((n for n in free if n >= self.space.cursor), default=min(free))
        assert self.space.take_run(1) == range(expected, expected + 1)
        self.taken.add(expected)

    @invariant()
    def counts_are_right(self) -> None:
        if hasattr(self, "space"):
            assert self.space.used == len(self.taken & self.choosable)
            assert self.pool.capacity == len(self.choosable)


TestSubnet = SubnetMachine.TestCase
TestSubnet.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
