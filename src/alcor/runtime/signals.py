"""What tells a process to end in good order: it takes no new work, finishes its own, and stops."""

import signal


def ends() -> tuple[signal.Signals, ...]:
    """SIGTERM, SIGINT and SIGHUP: settings are read at the start only, and a terminal that goes
    must not cut work. Under `nohup`, which ignores SIGHUP, it stays ignored."""
    asked = signal.SIGTERM, signal.SIGINT
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return asked if ignored else (*asked, signal.SIGHUP)
