"""A round that a peer or a database prevents is done by a later one; a mistake ends the process."""

import asyncio

import pytest

from alcor.runtime.rounds import rounds
from alcor.values.errors import Unavailable


def test_a_round_that_was_prevented_is_tried_again_and_a_mistake_is_told() -> None:
    outcomes = [Unavailable("the disk is full"), None, ValueError("a mistake")]
    done: list[int] = []

    async def work() -> None:
        done.append(len(done))
        outcome = outcomes[done[-1]]
        if outcome is not None:
            raise outcome

    with pytest.raises(ValueError, match="a mistake"):
        asyncio.run(asyncio.wait_for(rounds(work, 0), 5))
    assert done == [0, 1, 2]
