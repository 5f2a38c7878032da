"""Which segmentation id is the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.managers.network.model.segment_range import (
    DEFAULT_ID,
    SegmentRange,
    Source,
    Span,
    choice,
    default_range,
    free_number,
)
from alcor.managers.network.versions import v0011_segment_cursors

WHOLE = Span(1, 100)
NUMBERS = st.sets(st.integers(1, 30))
SPANS = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 8)).map(lambda s: Span(s[0], s[0] + s[1])),
    max_size=4,
)


def of(project: str | None, first: int, last: int, physical: str | None = None) -> SegmentRange:
    return SegmentRange(
        id=f"{project}-{first}", name="", shared=project is None, project_id=project,
        tenant_id=project, network_type="vlan" if physical else "vxlan",
        physical_network=physical, minimum=first, maximum=last, created_at="", updated_at="",
    )  # fmt: skip


@given(NUMBERS, SPANS, st.integers(1, 30), st.integers(0, 30))
def test_the_first_free_number_is_the_first_that_is_neither_taken_nor_reserved(
    taken: set[int], reserved: list[Span], first: int, size: int
) -> None:
    span = Span(first, first + size)

    found = free_number(span, sorted(taken), sorted(reserved))

    free = [
        number
        for number in range(span.first, span.last + 1)
        if number not in taken and not any(r.first <= number <= r.last for r in reserved)
    ]
    assert found == (free[0] if free else 0)


def test_a_project_looks_in_its_own_range_and_then_where_everybody_does() -> None:
    ranges = [default_range(WHOLE, ""), of("blue", 10, 19), of("red", 20, 29), of(None, 50, 60)]

    found = choice(ranges, "blue", None, WHOLE)

    assert found.own == (Source("blue-10", Span(10, 19)),)
    assert found.everybodys == (Source(DEFAULT_ID, WHOLE),)
    assert found.reserved == (Span(10, 19), Span(20, 29))


def test_the_region_goes_on_from_where_the_release_before_was() -> None:
    assert v0011_segment_cursors.REGION == DEFAULT_ID


@pytest.mark.parametrize(
    ("physical", "everybodys"),
    [("east", Source("None-100", Span(100, 200))), ("west", Source("west", Span(1, 4_094)))],
)
def test_vlans_are_of_the_shared_ranges_of_their_physical_network_if_it_has_any(
    physical: str, everybodys: Source
) -> None:
    ranges = [default_range(WHOLE, ""), of(None, 100, 200, "east"), of("red", 5, 9, "west")]

    found = choice(ranges, "blue", physical, Span(1, 4_094))

    assert found.everybodys == (everybodys,)
    assert found.reserved == ((Span(5, 9),) if physical == "west" else ())
