"""Wait on state, with a limit: the one place of the lab that lets time pass."""

import threading
from collections.abc import Callable
from time import monotonic

from alcor.lab.layout import LabError

look_again_s = 0.02


def wait_until(what: str, true: Callable[[], bool], timeout_s: float) -> None:
    """Return as soon as `true()`; `LabError` naming `what` when it isn't within the limit."""
    deadline = monotonic() + timeout_s
    pause = threading.Event()
    while not true():
        if monotonic() > deadline:
            raise LabError(f"gave up after {timeout_s:g} s waiting for {what}")
        pause.wait(look_again_s)
