from itertools import pairwise

from structlog.testing import capture_logs

from alcor.runtime.patience import Patience, rounds_left_out_max
from alcor.values.errors import Conflict

REFUSAL = Conflict("The port is bound.", type="PortBound")


def tries(patience: Patience, rounds: int) -> list[int]:
    """The rounds in which something that always fails was tried."""
    tried = []
    for number in range(rounds):
        if patience.is_due("port"):
            tried.append(number)
            patience.failed("port", REFUSAL, port="port")
    return tried


def test_what_fails_is_tried_at_once_again_then_ever_less_often() -> None:
    assert tries(Patience(), 32) == [0, 1, 3, 7, 15, 31]


def test_it_is_never_given_up() -> None:
    tried = tries(Patience(), 1_000)

    assert max(b - a for a, b in pairwise(tried)) == rounds_left_out_max + 1


def test_what_has_been_done_is_tried_at_once_when_it_fails_anew() -> None:
    patience = Patience()
    tries(patience, 20)

    patience.done("port")

    assert tries(patience, 4) == [0, 1, 3]


def test_a_refusal_is_one_line_that_says_why_and_a_fault_of_ours_has_its_traceback() -> None:
    patience = Patience()

    with capture_logs() as lines:
        patience.failed("port", REFUSAL, port="p1")
        patience.failed("port", KeyError("p1"), port="p1")

    refused, broken = lines
    assert refused["reason"] == "PortBound: The port is bound."
    assert (refused["log_level"], refused["port"], refused["failures"]) == ("warning", "p1", 1)
    assert "exc_info" not in refused
    assert isinstance(broken["exc_info"], KeyError)
    assert broken["rounds_left_out"] == 1
