"""Frames are bounded, and say no more than what has been sent."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from alcor.delivery.parcels import Content, Parcel, Parcels, bytes_per_frame_max
from alcor.transport.link import NOTHING, Frame, Item


def entries(count: int, size: int = 1, name: str = "network/n/") -> list[Item]:
    return [Item(f"{name}neighbour/{n}", b"v" * size, 1, "") for n in range(count)]


def frames_of(parcels: Parcels, position: int) -> list[Frame]:
    frames = []
    while parcels:
        frames.append(parcels.frame(1, position, NOTHING))
    return frames


def test_a_small_snapshot_begins_and_completes_in_one_frame() -> None:
    parcels = Parcels()
    for name in ("network/a/", "network/b/"):
        parcels.add(Parcel(Content.SNAPSHOT, entries(2, name=name), name))

    (frame,) = frames_of(parcels, 9)

    assert list(frame.begins) == list(frame.completes) == ["network/a/", "network/b/"]
    assert (len(frame.items), frame.position) == (4, 9)


def test_an_empty_snapshot_still_begins_and_completes() -> None:
    parcels = Parcels()
    parcels.add(Parcel(Content.SNAPSHOT, [], "network/a/"))

    (frame,) = frames_of(parcels, 9)

    assert list(frame.begins) == list(frame.completes) == ["network/a/"]


def test_a_large_snapshot_spans_frames_and_the_position_moves_at_its_end() -> None:
    parcels = Parcels()
    parcels.add(Parcel(Content.SNAPSHOT, entries(2_500), "network/n/"))

    frames = frames_of(parcels, 2_500)

    assert [len(frame.items) for frame in frames] == [1_000, 1_000, 500]
    assert [list(frame.begins) for frame in frames] == [["network/n/"], [], []]
    assert [list(frame.completes) for frame in frames] == [[], [], ["network/n/"]]
    assert [frame.position for frame in frames] == [0, 0, 2_500]


def test_large_entries_make_frames_of_fewer() -> None:
    parcels = Parcels()
    parcels.add(Parcel(Content.LIVE, entries(30, size=50_000), position=30))

    frames = frames_of(parcels, 30)

    sizes = [sum(len(item.value or b"") for item in frame.items) for frame in frames]
    assert max(sizes) <= bytes_per_frame_max + 50_000
    assert sum(len(frame.items) for frame in frames) == 30


def test_live_changes_that_have_left_count_even_if_more_is_queued() -> None:
    parcels = Parcels()
    parcels.add(Parcel(Content.LIVE, entries(1_000), position=1_000))
    parcels.add(Parcel(Content.SNAPSHOT, entries(1_500), "network/n/"))

    frames = frames_of(parcels, 2_000)

    assert [frame.position for frame in frames] == [1_000, 1_000, 2_000]


@given(st.lists(st.tuples(st.sampled_from(Content), st.integers(0, 2_200)), max_size=6))
def test_everything_leaves_once_in_order_and_positions_never_go_back(
    wanted: list[tuple[Content, int]],
) -> None:
    parcels, position = Parcels(), 0
    queued: list[Sequence[Item]] = []
    for at, (content, count) in enumerate(wanted):
        made = entries(count, name=f"network/{at}/")
        position += count
        parcels.add(Parcel(content, made, f"network/{at}/", position * (content is Content.LIVE)))
        queued.append(made)

    frames = frames_of(parcels, position)

    sent = [item.key for frame in frames for item in frame.items]
    assert sent == [entry.key for made in queued for entry in made]
    assert [frame.position for frame in frames] == sorted(frame.position for frame in frames)
    assert not frames or frames[-1].position == position
    begun = [name for frame in frames for name in frame.begins]
    assert begun == [name for frame in frames for name in frame.completes]
