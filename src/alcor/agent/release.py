"""Of which release an agent is: another one may make other flows of the same goal state."""

from hashlib import blake2b

from alcor.agent.pipeline import pipeline as p
from alcor.runtime.version import version

RELEASE = f"{version()}, pipeline {blake2b(p.FINGERPRINT, digest_size=4).hexdigest()}"
