"""The command line and its client sign in as OpenStack's clients do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from acceptance.keystone import REGION

from alcor.client.connection import ClientError, Place, place_of
from alcor.client.credentials import sign_in


@pytest.fixture(scope="module")
def published(asking: Any, keystone: Any) -> str:
    """The endpoint, in the catalog."""
    endpoint = f"http://{asking.host}:{asking.tcp_port}"
    keystone.publish(endpoint)
    return endpoint


def variables(keystone: Any, account: Any) -> dict[str, str]:
    return {
        "OS_AUTH_URL": keystone.url,
        "OS_USERNAME": account.name,
        "OS_PASSWORD": account.password,
        "OS_PROJECT_NAME": account.project,
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_REGION_NAME": REGION,
    }


def alcor(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    argv = [sys.executable, "-m", "alcor.cli.main", *words]
    return subprocess.run(argv, env=env | environment, capture_output=True, text=True, timeout=120)


def test_variables_give_a_token_and_the_endpoint_of_the_catalog(
    published: str, keystone: Any, people: Any
) -> None:
    signed = sign_in(variables(keystone, people.member))

    assert signed.endpoint == published
    assert signed.token


def test_a_cloud_is_found_by_its_name(
    published: str, keystone: Any, people: Any, tmp_path: Path
) -> None:
    clouds = tmp_path / "clouds.yaml"
    mary = people.member
    clouds.write_text(f"""
clouds:
  blue:
    auth: {{auth_url: "{keystone.url.removesuffix("/v3")}", username: {mary.name},
           password: "{mary.password}", project_name: {mary.project}}}
    region_name: {REGION}
""")
    environment = {"OS_CLIENT_CONFIG_FILE": str(clouds), "OS_CLOUD": "blue"}

    assert sign_in(environment).endpoint == published
    with pytest.raises(ClientError, match="has no cloud 'red'"):
        sign_in(environment | {"OS_CLOUD": "red"})


def test_an_application_credential_signs_in_by_variables_and_by_cloud(
    published: str, keystone: Any, people: Any, tmp_path: Path
) -> None:
    secret = {"name": "alcor", "secret": "of-an-application"}
    made = credential(keystone, sign_in(variables(keystone, people.member)).token, secret)
    given = {"application_credential_id": made, "application_credential_secret": secret["secret"]}
    environment = {f"OS_{name.upper()}": value for name, value in given.items()}
    clouds = tmp_path / "clouds.yaml"
    auth = given | {"auth_url": keystone.url}
    cloud = {"auth_type": "v3applicationcredential", "auth": auth, "region_name": REGION}
    clouds.write_text(json.dumps({"clouds": {"app": cloud}}))

    by_variables = sign_in(
        environment | {"OS_AUTH_URL": keystone.url, "OS_AUTH_TYPE": "v3applicationcredential"}
    )
    by_cloud = sign_in({"OS_CLIENT_CONFIG_FILE": str(clouds), "OS_CLOUD": "app"})

    assert by_variables.token
    assert by_cloud.token
    assert by_cloud.endpoint == published


def credential(keystone: Any, token: str, asked: dict[str, str]) -> str:
    """The id of an application credential that Keystone makes for whose the token is."""

    def ask(path: str, body: object = None) -> Any:
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        data = None if body is None else json.dumps(body).encode()
        headers |= {"Content-Type": "application/json"}
        root = keystone.url.removesuffix("/v3")
        with urlopen(Request(f"{root}/v3{path}", data, headers), timeout=30) as answer:
            return json.load(answer)

    user = ask("/auth/tokens")["token"]["user"]["id"]
    body = {"application_credential": asked}
    made: str = ask(f"/users/{user}/application_credentials", body)["application_credential"]["id"]
    return made


def test_a_cloud_that_asks_nobody_is_an_endpoint(tmp_path: Path) -> None:
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(
        "clouds: {here: {auth_type: none, auth: {endpoint: 'http://127.0.0.1:9696/v2.0'}}}"
    )

    signed = sign_in({"OS_CLIENT_CONFIG_FILE": str(clouds), "OS_CLOUD": "here"})

    assert not signed.token
    assert place_of(signed.endpoint) == Place(False, "127.0.0.1", 9696, "")


def test_a_wrong_password_is_told_in_one_line(keystone: Any, people: Any) -> None:
    wrong = variables(keystone, people.member) | {"OS_PASSWORD": "wrong"}

    done = alcor(wrong, "port", "list")

    assert done.returncode != 0
    assert "gives no token" in done.stderr
    assert "Traceback" not in done.stderr


def test_commands_act_as_who_signed_in(published: str, keystone: Any, people: Any) -> None:
    mary = variables(keystone, people.member)

    made = alcor(mary, "network", "create", "by-mary", "-f", "json")
    token = keystone.token(people.stranger)
    strangers = alcor({}, "--token", token, "network", "list", "--endpoint", published)

    assert made.returncode == 0, made.stderr
    assert "by-mary" in alcor(mary, "network", "list").stdout
    assert "by-mary" not in strangers.stdout
    assert strangers.returncode == 0, strangers.stderr
    assert alcor({}, "network", "list", "--endpoint", published).returncode != 0
