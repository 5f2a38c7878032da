"""The host's certificate and NATS credentials: whether they are of use, and how long they last."""

from collections.abc import Iterator
from math import isinf
from pathlib import Path

from alcor.agent.doctor.finding import Finding, fault, good
from alcor.runtime.clock import timestamp
from alcor.transport import nats_credentials
from alcor.transport.certificates import certificate_of
from alcor.transport.tls import TlsFiles

days_left_min = 14
_day_s = 86_400
_RENEW = "put a new one, with its key, in its place: it is read for each connection"


def looked_at(files: TlsFiles, host: str, now_s: float) -> Iterator[Finding]:
    """What the control plane would find wrong with it, now or soon."""
    try:
        found = certificate_of(files, of_server=False)
    except OSError as error:
        says = f"{', '.join(map(str, files))} can't be used: {error}"
        step = "the certificate is to be signed by the authority, and the key its own"
        yield fault("certificate", says, step)
        return
    if host not in found.names:
        says = f"{files.certificate} is of {', '.join(sorted(found.names))}, and not of {host}"
        yield fault("certificate", says, "its common name or an alternative name is the host's")
        return
    yield lasting(
        "certificate", str(files.certificate), found.ends_s, now_s, f"it is of {host}, and ends"
    )


def credentials_looked_at(file: Path, now_s: float) -> Finding:
    """What NATS would find wrong with them, now or soon."""
    try:
        ends_s = nats_credentials.ends_s(file)
    except (OSError, ValueError) as error:
        says = f"{file} can't be used: {error}"
        return fault("credentials", says, "it is to be what `nsc generate creds` writes")
    if isinf(ends_s):
        return good("credentials", "they never end")
    return lasting("credentials", str(file), ends_s, now_s, "they end")


def lasting(check: str, what: str, ends_s: float, now_s: float, well: str) -> Finding:
    """How it is with what ends then; `well` is how that is told as long as it is."""
    days = (ends_s - now_s) / _day_s
    if days < 0:
        return fault(check, f"{what} ended at {timestamp(ends_s)}", _RENEW)
    if days < days_left_min:
        return fault(check, f"{what} ends in {days:.0f} days", _RENEW)
    return good(check, f"{well} in {days:.0f} days")
