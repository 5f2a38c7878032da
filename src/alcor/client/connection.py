"""One HTTP connection to the API, kept open between requests.

Not for several threads at a time. A request is sent a second time only when the connection turned
out to have been closed while idle, before a byte of an answer.
"""

import http.client
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

request_timeout_s = 60.0


class ClientError(Exception):
    """A request that did not do what it should; the message says what to do next."""


class Unreachable(ClientError):
    """No control plane answers at the endpoint."""


class Foreign(Unreachable):
    """What answers at the endpoint is not the Networking API."""


class Refused(ClientError):
    """The control plane answered that it won't: the request's fault (4xx), or its own (5xx).

    `foreign`: it may be somebody else who answered, such as a proxy, or another service.
    """

    def __init__(
        self, status: int, kind: str, message: str, request_id: str, *, foreign: bool = False
    ) -> None:
        super().__init__(message)
        self.foreign = foreign
        self.status = status
        self.kind = kind  # NeutronError's type, as in IpAddressAlreadyAllocated
        self.message = message
        self.request_id = request_id


class Answer(NamedTuple):
    """A good answer: its body, and the revision of a write."""

    body: Any
    revision: str


class Place(NamedTuple):
    """Where an endpoint is; `root` goes before the paths of requests."""

    secure: bool
    host: str
    port: int
    root: str


def place_of(endpoint: str) -> Place:
    """Where to connect: a URL without a port has its scheme's, a bare name Neutron's."""
    wrong = f"'{endpoint}' is no endpoint: write it as http://127.0.0.1:9696"
    try:
        parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
        port = parts.port
    except ValueError:
        raise ClientError(wrong) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ClientError(wrong)
    secure = parts.scheme == "https"
    usual = (443 if secure else 80) if "://" in endpoint else 9696
    root = parts.path.rstrip("/").removesuffix("/v2.0")  # as catalogues have it
    return Place(secure, parts.hostname, port or usual, root)


Trust = bool | str  # whose certificates: the system's authorities', anybody's, or a file's


class Connection:
    """The connection; `endpoint` is as in http://127.0.0.1:9696. `trust` is for https."""

    # What to do about who does not answer, and who does not know us.
    nobody = (
        "no control plane answers at {endpoint} ({reason}): "
        "start one with `alcor up`, or name another with --endpoint or ALCOR_ENDPOINT"
    )
    sign_in = "Say who you are by --token, --os-cloud or the OS_* variables."

    def __init__(
        self, endpoint: str, project: str = "", token: str = "", *, trust: Trust = True
    ) -> None:
        place = place_of(endpoint)
        self._http = http.client.HTTPConnection(place.host, place.port, timeout=request_timeout_s)
        if place.secure:
            self._http = http.client.HTTPSConnection(
                place.host, place.port, timeout=request_timeout_s, context=_context(trust)
            )
        self._endpoint = endpoint
        self._root = place.root
        self._headers = {"Accept": "application/json"}
        if project:
            self._headers["X-Project-Id"] = _header("project", project)
        if token:
            self._headers["X-Auth-Token"] = _header("token", token)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = request_timeout_s,
        good: int = 200,
        text: bool = False,
    ) -> Answer:
        """Send a request; `Refused` or `Unreachable` when it came to nothing. An answer of the
        status `good` is none of these. What is answered is JSON, or `text`."""
        asked = urlencode(list(query))
        target = self._root + path + (f"?{asked}" if asked else "")
        payload = None if body is None else msgspec.json.encode(body)
        sent = {**self._headers, **(headers or {})}
        if payload is not None:
            sent["Content-Type"] = "application/json"
        try:
            send = partial(self._once, method, target, payload, sent, timeout_s)
            response, data = self._exchange(send)
        except (OSError, http.client.HTTPException) as problem:
            self._http.close()
            raise self._unreachable(problem) from None
        if response.status >= 400 and response.status != good:
            raise self._refusal(response, data)
        body = data.decode(errors="replace") if text or not data else self._json(data)
        return Answer(body, response.getheader("X-Alcor-Revision", ""))

    def _exchange(self, send: "_Send") -> "_Received":
        kept = self._http.sock is not None
        try:
            return send()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._http.close()
            if not kept:
                raise
            return send()

    def _once(
        self,
        method: str,
        target: str,
        payload: bytes | None,
        headers: dict[str, str],
        limit: float,
    ) -> "_Received":
        self._http.timeout = limit
        if self._http.sock is not None:
            self._http.sock.settimeout(limit)
        self._http.request(method, target, body=payload, headers=headers)
        response = self._http.getresponse()
        return response, response.read()

    def _unreachable(self, problem: Exception) -> Unreachable:
        """What to say of a request that got no answer."""
        if isinstance(problem, ssl.SSLCertVerificationError):
            return Unreachable(
                f"the certificate of {self._endpoint} is not trusted ({problem.verify_message}): "
                "name the file of its authority by OS_CACERT, or as cacert in clouds.yaml"
            )
        if isinstance(problem, ssl.SSLError) and not isinstance(problem, ssl.SSLEOFError):
            why = problem.reason or problem
            return Foreign(f"what answers at {self._endpoint} speaks no TLS of ours ({why})")
        return Unreachable(self.nobody.format(endpoint=self._endpoint, reason=_reason(problem)))

    def _json(self, data: bytes) -> Any:
        try:
            return msgspec.json.decode(data)
        except msgspec.DecodeError:
            raise Foreign(self._foreign()) from None

    def _foreign(self) -> str:
        return f"what answers at {self._endpoint} is not the Networking API"

    def _refusal(self, response: http.client.HTTPResponse, data: bytes) -> Refused:
        request_id = response.getheader("X-Openstack-Request-Id", "")
        try:
            answer = msgspec.json.decode(data)
            if response.status == 401 and "error" in answer:  # Keystone's words, not Neutron's
                kind = str(answer["error"]["title"])
                message = f"{answer['error']['message']} {self.sign_in}"
            else:
                error = answer["NeutronError"]
                kind, message = str(error["type"]), str(error["message"])
        except (msgspec.DecodeError, LookupError, TypeError):
            message = f"{self._foreign()}, or something before it"
            if response.status == 401:
                message = f"{message}. {self.sign_in}"
            return Refused(response.status, response.reason, message, request_id, foreign=True)
        return Refused(response.status, kind, message or response.reason, request_id)


_Received = tuple[http.client.HTTPResponse, bytes]
_Send = Callable[[], _Received]


def _reason(problem: Exception) -> str:
    """Why nobody answers, in words alone."""
    told = problem.strerror if isinstance(problem, OSError) else str(problem)
    return told or str(problem) or type(problem).__name__


def _header(name: str, value: str) -> str:
    """What a header may carry; it is not repeated, as it may be a secret."""
    if not (value.isascii() and value.isprintable()):
        raise ClientError(f"the {name} can't be sent: it is to be one line of ASCII")
    return value


def _context(trust: Trust) -> ssl.SSLContext:
    if not isinstance(trust, str):
        context = ssl.create_default_context()
        if not trust:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=trust)
    except OSError as error:
        raise ClientError(
            f"{trust}, named by OS_CACERT or as cacert, is no file of authorities ({error})"
        ) from None
