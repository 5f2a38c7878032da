"""A side's own certificate, as the other side sees it: whose it is, and when it ends."""

import ssl
from collections.abc import Sequence
from typing import Any, NamedTuple

from alcor.transport.tls import TlsFiles

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: what has ended is to be read as well
_Name = Sequence[Sequence[tuple[str, str]]]


class Certificate(NamedTuple):
    """What is read of a certificate."""

    names: frozenset[str]  # its common name and its alternative names
    ends_s: float  # since the epoch: it, or the authority that signed it


def certificate_of(files: TlsFiles, *, of_server: bool) -> Certificate:
    """Read the certificate by a handshake with ourselves, which finds what any peer would.

    `OSError` (`ssl.SSLError`) when a file can't be read, they don't fit together, or the authority
    has not signed it for this side. That it has ended is no error here.
    """
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if of_server else ssl.PROTOCOL_TLS_CLIENT)
    peer = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if of_server else ssl.PROTOCOL_TLS_SERVER)
    for context in (own, peer):
        context.load_cert_chain(files.certificate, files.key)
        context.check_hostname = False
    own.verify_mode, peer.verify_mode = ssl.CERT_NONE, ssl.CERT_REQUIRED
    peer.load_verify_locations(files.authority)
    peer.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    shown = _shown(own, peer, of_server)
    ends = [_end_s(shown)]
    signers = [each for each in peer.get_ca_certs() if each["subject"] == shown["issuer"]]
    if signers:  # of an authority that is being changed the file holds several
        ends.append(max(map(_end_s, signers)))
    alternative = {name for _, name in shown.get("subjectAltName", ())}
    return Certificate(frozenset(alternative | _common_names(shown["subject"])), min(ends))


def end_s(files: TlsFiles, *, of_server: bool) -> float:
    """When the certificate ends, for a metric: 0 when the files can't be used."""
    try:
        return certificate_of(files, of_server=of_server).ends_s
    except OSError:
        return 0.0


def _shown(own: ssl.SSLContext, peer: ssl.SSLContext, of_server: bool) -> dict[str, Any]:
    """The certificate that `peer` is shown by `own`."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = own.wrap_bio(there, back, server_side=of_server)
    theirs = peer.wrap_bio(back, there, server_side=not of_server)
    waiting = [ours, theirs] if not of_server else [theirs, ours]
    while waiting:
        for each in list(waiting):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(each)
    shown = theirs.getpeercert()
    assert shown is not None, "a handshake that demands one has succeeded"
    return shown


def _end_s(certificate: dict[str, Any]) -> float:
    return ssl.cert_time_to_seconds(certificate["notAfter"])


def _common_names(subject: _Name) -> set[str]:
    return {value for part in subject for name, value in part if name == "commonName"}
