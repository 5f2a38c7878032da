"""Generate src/alcor/goal_state/pb from proto/alcor/v1 (run by `make docs`; output is committed).

Only messages are generated: the transport gives gRPC its own serialisers, so that bytes which are
encoded already are passed on as they are.
"""

import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "src/alcor/goal_state/pb"
PROTOS = sorted((ROOT / "proto/alcor/v1").glob("*.proto"))


def generate(target: Path) -> int:
    """Write `<name>_pb2.py` and `.pyi` of every proto into `target`; protoc's exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        code = protoc.main(
            ["protoc", f"-I{ROOT / 'proto'}", f"--python_out={scratch}", f"--pyi_out={scratch}"]
            + [str(proto) for proto in PROTOS]
        )
        for made in Path(scratch).rglob("*_pb2.py*"):
            (target / made.name).write_text(made.read_text())
    return int(code)


if __name__ == "__main__":
    sys.exit(generate(OUTPUT))
