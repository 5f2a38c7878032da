"""`python -m fuzz [--minutes N] [ENTRY ...]`: fuzz each entry for some minutes, or until Ctrl-C.

Exit status 1 when one has a fault. What was found is kept in fuzz/corpus, and run by the tests.
"""

import argparse
import random
import sys
import time
from pathlib import Path

from fuzz.engine import fuzz
from fuzz.entries import ENTRIES

CORPUS = Path(__file__).parent / "corpus"


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help=f"of {', '.join(ENTRIES)}")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each entry")
    parser.add_argument("--seed", type=int, default=None, help="of chance; the clock's otherwise")
    given = parser.parse_args()
    if unknown := [name for name in given.entries if name not in ENTRIES]:
        parser.error(f"no such entry: {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
    seed = int(time.time()) if given.seed is None else given.seed
    faults = 0
    for name in given.entries or ENTRIES:
        outcome = fuzz(ENTRIES[name], CORPUS / name, given.minutes * 60, random.Random(seed))
        sys.stdout.write(f"{name}: {outcome.runs} inputs, {outcome.kept} kept, seed {seed}\n")
        if outcome.fault is not None:
            faults += 1
            path = Path(f"fault-{name}.bin")
            path.write_bytes(outcome.fault.data)
            sys.stdout.write(f"  FAULT, its input is in {path}:\n{outcome.fault.why}\n")
        sys.stdout.flush()
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
