"""What a change carries of who caused it: the request's id and, when the request is traced, the W3C
traceparent of its span behind a space.

Source: W3C Trace Context, section 3.2 (https://www.w3.org/TR/trace-context/).
"""

import re

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


def carried(request_id: str, traceparent: str) -> str:
    """Both as one text; of a request that is not traced, its id alone."""
    return f"{request_id} {traceparent}" if traceparent else request_id


def request_of(trace: str) -> str:
    """The request's id in what a change carries."""
    return trace.partition(" ")[0]


def traceparent_of(trace: str) -> str:
    """The traceparent in what a change carries; empty when there is none, or it is malformed."""
    return checked(trace.partition(" ")[2])


def checked(traceparent: str) -> str:
    """The text, if it is a traceparent; else nothing."""
    return traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else ""
