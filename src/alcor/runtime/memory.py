"""How the collector of cycles treats a process that keeps much for long."""

import gc

thresholds = 50_000, 20, 50  # objects, and collections of the younger generation


def settle_memory() -> None:
    """What was loaded at start lives for ever: the collector need not look at it again.

    Nor need it look for cycles every few hundred objects: a bulk makes tens of thousands that stay.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
