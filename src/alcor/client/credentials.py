"""Who the client is: a token as it is, or one that Keystone gives for OpenStack's usual settings.

In this order: `ALCOR_TOKEN` or `OS_TOKEN`; `OS_CLOUD` in a clouds.yaml (of `OS_CLIENT_CONFIG_FILE`,
the current folder, ~/.config/openstack, /etc/openstack), where `auth_type` none names an endpoint
that asks nobody; `OS_AUTH_URL` with `OS_USERNAME` and the rest, or an application credential's.
Without any of them nobody in particular asks, which a control plane on the loopback allows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from alcor.client.connection import ClientError, Trust

_PLACES = ("clouds.yaml", "~/.config/openstack/clouds.yaml", "/etc/openstack/clouds.yaml")
_AUTH = (
    *("auth_url", "username", "user_id", "password", "project_name", "project_id"),
    *("user_domain_name", "user_domain_id", "project_domain_name", "project_domain_id"),
    *("application_credential_id", "application_credential_name", "application_credential_secret"),
    "system_scope",
)
_APPLICATION = "application_credential_secret"


class SignedIn(NamedTuple):
    """What to send, where the catalog says the Networking API is (empty: not known), and whose
    certificate is believed there."""

    token: str = ""
    endpoint: str = ""
    trust: Trust = True


class _Cloud(msgspec.Struct):
    auth: dict[str, Any] = {}
    auth_type: str = ""
    region_name: str = ""
    interface: str = "public"
    verify: bool = True
    cacert: str = ""

    @property
    def trust(self) -> Trust:
        return str(Path(self.cacert).expanduser()) if self.cacert and self.verify else self.verify


class _Clouds(msgspec.Struct):
    clouds: dict[str, _Cloud] = {}


def sign_in(environment: Mapping[str, str]) -> SignedIn:
    """Of these variables; `ClientError` when they can't be used, or Keystone refuses."""
    authorities = environment.get("OS_CACERT", "")
    if token := environment.get("ALCOR_TOKEN") or environment.get("OS_TOKEN"):
        return SignedIn(token, trust=authorities or True)
    if name := environment.get("OS_CLOUD"):
        cloud = _cloud(name, environment)
        if cloud.auth_type == "none":
            return SignedIn("", str(cloud.auth.get("endpoint", "")), cloud.trust)
        return _of_keystone(cloud)
    if environment.get("OS_AUTH_URL"):
        auth = {key: environment.get(f"OS_{key.upper()}", "") for key in _AUTH}
        return _of_keystone(
            _Cloud(
                auth={key: value for key, value in auth.items() if value},
                region_name=environment.get("OS_REGION_NAME", ""),
                interface=environment.get("OS_INTERFACE", "public"),
                cacert=authorities,
            )
        )
    return SignedIn(trust=authorities or True)


def _cloud(name: str, environment: Mapping[str, str]) -> _Cloud:
    named = environment.get("OS_CLIENT_CONFIG_FILE")
    for place in (named,) if named else _PLACES:
        path = Path(place).expanduser()
        if not path.is_file():
            continue
        try:
            clouds = msgspec.yaml.decode(path.read_bytes(), type=_Clouds).clouds
        except (OSError, ValueError) as error:
            raise ClientError(f"{path}: {error}") from None
        if name not in clouds:
            raise ClientError(f"{path} has no cloud '{name}', but {', '.join(sorted(clouds))}")
        return clouds[name]
    raise ClientError(f"OS_CLOUD is '{name}', but there is no {named or 'clouds.yaml'}")


def _of_keystone(cloud: _Cloud) -> SignedIn:
    from keystoneauth1 import exceptions  # only here: loading it takes as long as a command
    from keystoneauth1.identity import v3
    from keystoneauth1.session import Session

    auth = {key: value for key, value in cloud.auth.items() if key in _AUTH}
    url = str(auth.pop("auth_url", "")).rstrip("/")
    if not url:
        raise ClientError(
            "there is no auth_url: neither OS_AUTH_URL, nor one of the cloud OS_CLOUD"
        )
    whom = v3.ApplicationCredential if _APPLICATION in auth else v3.Password
    for whose in ("user", "project"):
        known = {f"{whose}_domain_id", f"{whose}_domain_name"} & auth.keys()
        if not known and ("username" in auth if whose == "user" else "project_name" in auth):
            auth[f"{whose}_domain_id"] = "default"
    url = url if url.endswith("/v3") else f"{url}/v3"
    try:
        session = Session(auth=whom(auth_url=url, **auth), verify=cloud.trust, timeout=30)
        token = session.get_token() or ""
        endpoint = session.get_endpoint(
            service_type="network",
            region_name=cloud.region_name or None,
            interface=cloud.interface,
        )
    except exceptions.ClientException as error:
        why = str(error).partition(": HTTP")[0]  # after it: the layers beneath
        raise ClientError(f"Keystone at {url} gives no token: {why}") from None
    return SignedIn(token, endpoint or "", cloud.trust)
