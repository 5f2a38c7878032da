"""A real Horizon on a loopback port, for the accounts of a Keystone."""

from pathlib import Path

from acceptance.environments import WORK, environment
from acceptance.keystone import Keystone
from acceptance.processes import Server, free_port

# Horizon reads `local.local_settings` of the path, which its own settings end with.
_SETTINGS = """\
from openstack_dashboard.settings import HORIZON_CONFIG
HORIZON_CONFIG["user_home"] = "/project/network_topology/"
ALLOWED_HOSTS = ["127.0.0.1"]
SECRET_KEY = {secret!r}
LOCAL_PATH = {folder!r}
OPENSTACK_KEYSTONE_URL = {keystone!r}
COMPRESS_ENABLED = False
COMPRESS_PRECOMPILERS = ()
CACHES = {{"default": {{
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "TIMEOUT": 36000,
    "OPTIONS": {{"MAX_ENTRIES": 100000}},
}}}}
OPENSTACK_NEUTRON_NETWORK = {{
    "enable_distributed_router": True,
    "enable_ha_router": True,
    "enable_fip_topology_check": True,
    "enable_ipv6": True,
    "enable_quotas": True,
    "enable_rbac_policy": True,
    "enable_router": True,
    "show_agents_column": True,
}}
SECURITY_GROUP_RULES = {{
    name: {{"name": said, "ip_protocol": protocol, "from_port": port, "to_port": port}}
    for name, said, protocol, port in (
        ("all_icmp", "All ICMP", "icmp", "-1"),
        ("ssh", "SSH", "tcp", "22"),
        ("https", "HTTPS", "tcp", "443"),
    )
}}
LOGGING = {{
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {{"plain": {{"format": "%(levelname)s %(name)s %(message)s"}}}},
    "handlers": {{"out": {{"class": "logging.StreamHandler", "formatter": "plain"}}}},
    "root": {{"handlers": ["out"], "level": "INFO"}},
}}
"""
_APPLICATION = """\
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "openstack_dashboard.settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


def dashboard(folder: Path, keystone: Keystone, secret: str) -> Server:
    """Not started; its log, with the tracebacks of faults, is `horizon.log` of the folder."""
    folder = folder.absolute()
    local = folder / "local"
    local.mkdir(parents=True, exist_ok=True)
    (local / "__init__.py").touch()
    settings = _SETTINGS.format(secret=secret, folder=str(folder), keystone=keystone.url)
    (local / "local_settings.py").write_text(settings)
    (folder / "serve_horizon.py").write_text(_APPLICATION)
    port = free_port()
    gunicorn = [str(environment(WORK, "horizon") / "gunicorn"), "--no-control-socket"]
    one = [
        "--workers",
        "1",
        "--threads",
        "4",
        "--timeout",
        "300",
    ]  # as the cache is a process's own
    where = ["--bind", f"127.0.0.1:{port}", "--pythonpath", str(folder)]
    argv = [*gunicorn, *one, *where, "serve_horizon:application"]
    return Server(argv, f"http://127.0.0.1:{port}/auth/login/", folder / "horizon.log")
