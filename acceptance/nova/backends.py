"""What Nova keeps its state in and speaks by: MariaDB and RabbitMQ, each a server of our own."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from acceptance.environments import AcceptanceError, run
from acceptance.processes import Server, free_port

_answer_s_max = 90.0
_RABBIT = Path("/usr/lib/rabbitmq/bin")
_PACKAGES = "apt-get install --no-install-recommends mariadb-server rabbitmq-server"


@contextmanager
def mariadb(folder: Path, databases: Sequence[str]) -> Iterator[str]:
    """A server with these databases; the URL of one, with `{}` where its name goes."""
    program = _found("mariadbd")
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="alcor-db-") as short:  # a socket's path is limited
        socket = Path(short) / "socket"
        user = pwd.getpwuid(os.getuid()).pw_name
        where = [f"--user={user}", f"--datadir={folder}/data"]
        root = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        log = folder / "mariadb.log"
        run([_found("mariadb-install-db"), "--no-defaults", *where, *root], log)
        limits = ["--max-connections=500", "--innodb-flush-log-at-trx-commit=0"]
        limits += ["--innodb-flush-method=nosync", "--skip-innodb-doublewrite"]
        argv = [program, "--no-defaults", *where, *limits, "--skip-networking"]
        with Server([*argv, f"--socket={socket}"], "", log):
            ask = [_found("mariadb"), "--no-defaults", f"--socket={socket}", "-u", "root", "-e"]
            _wait("MariaDB", [*ask, "SELECT 1"], log)
            run([*ask, "".join(f"CREATE DATABASE {name};" for name in databases)], log)
            yield f"mysql+pymysql://root@localhost/{{}}?unix_socket={socket}&charset=utf8mb3"


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """A broker; its URL for oslo.messaging."""
    if not (_RABBIT / "rabbitmq-server").exists():
        raise AcceptanceError(f"RabbitMQ is missing: {_PACKAGES}")
    folder.mkdir(parents=True)
    port, distribution, mapper = free_port(), free_port(), free_port()
    (folder / "plugins").write_text("[].\n")
    env = {
        "HOME": str(folder),  # the cookie that its processes know each other by
        "RABBITMQ_NODENAME": f"acc{os.getpid()}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    (folder / "rabbitmq.conf").touch()
    cookie = folder / ".erlang.cookie"
    cookie.touch(0o600)
    cookie.write_text(secrets.token_hex(10))
    cookie.chmod(0o400)
    log = folder / "rabbitmq.log"
    try:
        with Server([str(_RABBIT / "rabbitmq-server")], "", log, env):
            control = [str(_RABBIT / "rabbitmqctl"), "--quiet"]
            _wait("RabbitMQ", [*control, "await_startup"], log, env)
            yield f"rabbit://guest:guest@127.0.0.1:{port}/"
    finally:
        # Erlang's port mapper is a daemon, and outlives its broker.
        subprocess.run(
            [_found("epmd"), "-kill"], env=dict(os.environ) | env, capture_output=True, check=False
        )


def _wait(name: str, argv: Sequence[str], log: Path, env: dict[str, str] | None = None) -> None:
    deadline = monotonic() + _answer_s_max
    while monotonic() < deadline:
        asked = subprocess.run(
            argv, env=dict(os.environ) | (env or {}), capture_output=True, check=False
        )
        if asked.returncode == 0:
            return
        sleep(0.3)
    raise AcceptanceError(f"{name} does not answer: {log.read_text(errors='replace')[-2_000:]}")


def _found(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        raise AcceptanceError(f"{program} is missing: {_PACKAGES}")
    return path
