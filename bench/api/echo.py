"""The floor of the API: a raw ASGI application that reads the body and answers fixed bytes.

Served by uvicorn on the parser and loop that Alcor uses too (httptools, uvloop), in a process of
its own. `PUT /x` says what is answered to every other request for `/x` from then on.
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SERVER: dict[str, Any] = {  # as Alcor's own
    "http": "httptools",
    "loop": "uvloop",
    "lifespan": "off",
    "access_log": False,
    "log_level": "warning",
}

_answer_by_path: dict[str, bytes] = {}


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """Answer what was put at this path, and nothing where nothing was."""
    if scope["type"] != "http":
        return
    body = await body_of(receive)
    if scope["method"] == "PUT":
        _answer_by_path[scope["path"]] = body
    await answer(send, scope["method"], _answer_by_path.get(scope["path"], b""))


async def body_of(receive: Receive) -> bytes:
    """All of a request's body."""
    body = b""
    while True:
        message = await receive()
        more: bytes = message.get("body", b"")
        body += more
        if not message.get("more_body", False):
            return body


async def answer(send: Send, method: str, body: bytes) -> None:
    """Answer with this body; 201 to a POST."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    status = 201 if method == "POST" else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main(port: int) -> None:
    """Serve on this port of 127.0.0.1 until told to end."""
    uvicorn.run(echo, host="127.0.0.1", port=port, **SERVER)


if __name__ == "__main__":
    main(int(sys.argv[1]))
