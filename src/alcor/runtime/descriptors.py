"""How many connections and files a process may have open."""

import resource


def take_all_descriptors() -> None:
    """As many as the system lets us have: a soft limit, often 1,024, is for programs that `select`.

    Beyond it a server closes what is connected next, without a word.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
