"""Live through worlds: `python -m alcor.simulation --seeds 200`, or `--seed 17 --trace` for one.

The exit status is 0 when nothing was seen that must never be.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable

from alcor.simulation.world import Outcome, run

shown_before = 40  # events before a violation
bar_width = 30


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m alcor.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many worlds")
    parser.add_argument("--first", type=int, default=1, help="the seed of the first of them")
    parser.add_argument("--seed", type=int, help="one world, lived through twice")
    parser.add_argument("--trace", action="store_true", help="show all that happened in it")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _one(asked.seed, trace=asked.trace)
    return _many(range(asked.first, asked.first + asked.seeds))


def _one(seed: int, *, trace: bool) -> int:
    """The same world twice: equal digests are equal histories."""
    outcome, again = run(seed), run(seed)
    if trace:
        _say(*outcome.events)
    _say(_summary(outcome))
    if outcome.digest != again.digest:
        _say(f"the second time it was another world: {again.digest}")
        return 1
    if outcome.violations:
        _complain(outcome)
        return 1
    return 0


def _many(seeds: range) -> int:
    """As many as there is time for: Ctrl-C ends it, with what was seen until then."""
    began_s = time.monotonic()
    broken: list[Outcome] = []
    done, answers, virtual_s = 0, 0, 0.0
    try:
        for outcome in map(run, seeds):
            done += 1
            answers += outcome.answers
            virtual_s += outcome.virtual_s
            if outcome.violations:
                broken.append(outcome)
                _bar_away()
                _complain(outcome)
            _bar(done, len(seeds), len(broken))
    except KeyboardInterrupt:
        seeds = seeds[:done]
    _bar_away()
    took_s = time.monotonic() - began_s
    _say(
        f"{len(seeds)} seeds, {len(broken)} with violations; {answers} acknowledged writes in "
        f"{virtual_s:.0f} virtual seconds, {took_s:.0f} s"
    )
    return 1 if broken else 0


def _complain(outcome: Outcome) -> None:
    first = next(i for i, event in enumerate(outcome.events) if "VIOLATION" in event)
    _say(*outcome.events[max(first - shown_before, 0) : first + 1])
    _say(f"seed {outcome.seed}:", *(f"  {each}" for each in outcome.violations))
    _say(f"  replay: make simulate SEED={outcome.seed}")


def _summary(outcome: Outcome) -> str:
    return (
        f"seed {outcome.seed}: {outcome.answers} acknowledged writes in {outcome.virtual_s:.0f} "
        f"virtual seconds, {len(outcome.violations)} violations, digest {outcome.digest}"
    )


def _bar(done: int, of: int, broken: int) -> None:
    if sys.stderr.isatty():
        full = bar_width * done // of
        bar = "#" * full + "." * (bar_width - full)
        sys.stderr.write(f"\r[{bar}] {done}/{of} seeds, {broken} with violations")
        sys.stderr.flush()


def _bar_away() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")


def _say(*lines: str) -> None:
    _write(line + "\n" for line in lines)


def _write(lines: Iterable[str]) -> None:
    sys.stdout.writelines(lines)
    sys.stdout.flush()


def _with_known_hashes() -> None:
    """Sets of texts have the same order in every run: begin again if that is not so."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        arguments = [sys.executable, "-m", "alcor.simulation", *sys.argv[1:]]
        os.execve(sys.executable, arguments, environment)


if __name__ == "__main__":
    _with_known_hashes()
    sys.exit(main())
