"""Every change is watched until all connected hosts concerned have it, and its age is told."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from alcor.delivery.unapplied import Unapplied

HOSTS_BY_SLICE = {"a": ["h1", "h2"], "b": ["h2"]}
GONE = 1 << 63


class World:
    """Hosts of two slices, how far each is, and the time."""

    def __init__(self) -> None:
        self.applied = {"h1": 0, "h2": 0}
        self.now_s = 0.0
        self.life = "first"
        self.counted = 0
        self.unapplied = Unapplied(self.behind, lambda: self.life, lambda: self.now_s)
        self.lacking: dict[tuple[str, int], float] = {}  # by host and position: since when

    def behind(self, position_by_slice: Mapping[str, int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, position in position_by_slice.items():
            for host in HOSTS_BY_SLICE[name]:
                self.counted += 1
                if self.applied[host] < position:
                    found[host] = max(position, found.get(host, 0))
        return found

    def plan(self, name: str, position: int) -> None:
        self.unapplied.planned({name: position})
        for host in HOSTS_BY_SLICE[name]:
            self.lacking[host, position] = self.now_s

    def hear(self, host: str, applied: int) -> None:
        self.applied[host] = max(self.applied[host], applied)
        self.unapplied.heard(host, applied)
        self.lacking = {
            (each, position): since
            for (each, position), since in self.lacking.items()
            if each != host or position > applied
        }

    @property
    def longest_s(self) -> float:
        return self.now_s - min(self.lacking.values(), default=self.now_s)


STEPS = st.lists(
    st.one_of(
        st.sampled_from([("plan", "a"), ("plan", "b")]),
        st.sampled_from([("hear", "h1"), ("hear", "h2")]),
    ),
    max_size=30,
)


@given(STEPS)
def test_it_tells_at_least_how_long_a_host_has_lacked_something(
    steps: list[tuple[str, str]],
) -> None:
    """More only by what came before within the same round; nothing once all have all."""
    world = World()
    for position, (what, whom) in enumerate(steps, start=1):
        world.now_s += 1
        if what == "plan":
            world.plan(whom, position)
        else:
            world.hear(whom, position)
        assert world.unapplied.age_s >= world.longest_s
    for host in world.applied:
        world.hear(host, 1_000)

    assert world.unapplied.age_s == 0
    assert world.counted <= 2 * len(steps)  # no change is looked at more than once


def test_a_host_that_never_says_so_is_told_of_for_ever() -> None:
    world = World()
    world.plan("a", 1)
    for position in range(2, 100):
        world.now_s += 10
        world.plan("a", position)
        world.hear("h1", position)

    assert world.unapplied.age_s == 980


def test_a_host_that_is_gone_lacks_nothing_that_it_could_be_sent() -> None:
    world = World()
    world.plan("b", 1)
    world.now_s += 100
    world.unapplied.heard("h2", GONE)

    assert world.unapplied.age_s == 0


def test_positions_of_another_life_of_the_log_are_not_waited_for() -> None:
    world = World()
    world.plan("b", 1_000)
    world.now_s += 100
    world.life = "second"
    world.plan("b", 1)
    world.now_s += 1
    assert world.unapplied.age_s == 1
    world.hear("h2", 1)

    assert world.unapplied.age_s == 0
