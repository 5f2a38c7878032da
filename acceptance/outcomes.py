"""Subunit on standard input, one JSON line a test on standard output: [test, status, reason, s].

Runs inside Tempest's environment, which has the libraries.
"""

import json
import sys
from typing import Any

import subunit
import testtools

_STATUS = {
    "success": "passed",
    "xfail": "passed",
    "fail": "failed",
    "uxsuccess": "failed",
    "skip": "skipped",
}


def _told(outcome: dict[str, Any]) -> None:
    status = _STATUS.get(outcome["status"])
    if status is None:
        return
    details = outcome["details"]
    kind = "reason" if status == "skipped" else "traceback"
    found = [content.as_text() for name, content in details.items() if kind in name]
    began, ended = outcome["timestamps"]
    seconds = (ended - began).total_seconds() if began and ended else 0.0
    reason = "\n".join(found) if status != "passed" else ""
    sys.stdout.write(json.dumps([outcome["id"], status, reason, seconds]) + "\n")


result = testtools.StreamToDict(_told)
result.startTestRun()
subunit.ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name="stdout").run(result)
result.stopTestRun()
