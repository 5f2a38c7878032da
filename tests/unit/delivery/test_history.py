"""What recent writes changed is remembered, up to a limit."""

from alcor.delivery.history import History, merged


def test_changes_of_one_request_are_one_write() -> None:
    history = History()
    history.record(1, "r1", {"host/h1/": 1, "network/n/": 2})
    history.record(2, "r1", {"host/h2/": 3, "network/n/": 4})
    history.record(3, "r2", {"host/h3/": 5})

    write = history.write(2)

    assert write is not None
    assert write is history.write(1)
    assert (write.first, write.last) == (1, 2)
    assert write.position_by_slice == {"host/h1/": 1, "host/h2/": 3, "network/n/": 4}


def test_changes_without_a_request_are_writes_of_their_own() -> None:
    history = History()
    history.record(1, "", {"host/h1/": 1})
    history.record(2, "", {"host/h2/": 2})

    assert history.write(1) is not history.write(2)


def test_a_sequence_that_the_log_skipped_is_of_the_write_that_came_after() -> None:
    history = History()
    history.record(3, "r1", {"host/h1/": 1})
    history.record(7, "r2", {"host/h2/": 2})

    write = history.write(5)

    assert write is not None
    assert write.trace == "r2"


def test_old_writes_are_forgotten_but_not_that_they_were() -> None:
    history = History(writes_max=10)
    for sequence in range(1, 101):
        history.record(sequence, f"r{sequence}", {"host/h1/": sequence})

    assert history.write(5) is None
    assert history.write(95) is not None
    assert history.seen == 100


def test_what_was_planned_at_start_is_not_remembered_one_by_one() -> None:
    history = History()
    history.forget(12)
    history.forget(9)

    assert history.seen == 12
    assert history.write(12) is None


def test_earlier_writes_count_until_they_are_settled() -> None:
    history = History()
    for sequence in (1, 2, 3):
        history.record(sequence, f"r{sequence}", {f"host/h{sequence}/": sequence})
    last = history.write(3)
    assert last is not None
    assert history.unsettled_before(last) == {"host/h1/": 1, "host/h2/": 2}

    history.settle(1)

    assert history.unsettled_before(last) == {"host/h2/": 2}


def test_merging_keeps_the_greatest_position() -> None:
    assert merged(({"a": 1, "b": 5}, {"a": 2, "b": 3})) == {"a": 2, "b": 5}
