"""The host's certificate: whether it is the host's, and how long it lasts."""

from collections.abc import Iterator

from alcor.agent.doctor.finding import Finding, fault, good
from alcor.runtime.clock import timestamp
from alcor.transport.certificates import certificate_of
from alcor.transport.tls import TlsFiles

days_left_min = 14
_day_s = 86_400
_RENEW = "put another one, and its key, in its place: it is read for each connection"


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
    days = (found.ends_s - now_s) / _day_s
    if days < 0:
        yield fault(
            "certificate", f"{files.certificate} ended at {timestamp(found.ends_s)}", _RENEW
        )
    elif days < days_left_min:
        yield fault("certificate", f"{files.certificate} ends in {days:.0f} days", _RENEW)
    else:
        yield good("certificate", f"it is of {host}, and ends in {days:.0f} days")
