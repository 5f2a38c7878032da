"""Who asks: so far only `local`, which trusts whoever can reach the loopback address.

Everybody is an administrator; the project is the body's, else the header's, else "default".
"""

from alcor.contracts.resources import Caller
from alcor.gateway.requests import Request
from alcor.values.errors import HTTPBadRequest

project_chars_max = 255


def local_caller(request: Request, request_id: str) -> Caller:
    """The caller of a request in local mode."""
    project = request.header(b"x-project-id") or "default"
    if len(project) > project_chars_max:
        raise HTTPBadRequest(f"X-Project-Id is longer than {project_chars_max} characters")
    return Caller(project_id=project, admin=True, request_id=request_id)
