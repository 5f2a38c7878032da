"""Laws of new ids."""

from uuid import UUID

from alcor.runtime.ids import IdMaker
from alcor.values.ids import is_uuid

A_STEP_S = 1_024


def test_ids_made_in_one_moment_name_different_interfaces() -> None:
    new_id = IdMaker(lambda: 1_800_000_000.0)

    ids = [new_id() for _ in range(20_000)]

    assert len({f"tap{id_[:11]}" for id_ in ids}) == len(ids)
    assert all(is_uuid(id_) and UUID(id_).version == 8 for id_ in ids)


def test_ids_of_later_steps_sort_later() -> None:
    now = [1_800_000_000.0]
    new_id = IdMaker(lambda: now[0])
    earlier = [new_id() for _ in range(100)]

    now[0] += A_STEP_S
    later = [new_id() for _ in range(100)]

    assert max(earlier) < min(later)


def test_a_clock_that_goes_back_doubles_no_prefix() -> None:
    now = [1_800_000_000.0]
    new_id = IdMaker(lambda: now[0])
    ids = [new_id()]

    now[0] -= 10 * A_STEP_S
    ids += [new_id() for _ in range(1_000)]

    assert len({id_[:11] for id_ in ids}) == len(ids)
