"""How Keystone is asked. Apart from the client, which loads much: most processes ask nobody."""

from typing import Annotated

import msgspec


class KeystoneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the identity service. The password is no setting, so that none shows it."""

    auth_url: Annotated[
        str, msgspec.Meta(description="Keystone's address, as in http://127.0.0.1:5000/v3")
    ] = ""
    username: Annotated[str, msgspec.Meta(description="Our service user")] = "alcor"
    password_file: Annotated[
        str,
        msgspec.Meta(
            description="File with the service user's password; "
            "empty: the environment's ALCOR_KEYSTONE_PASSWORD"
        ),
    ] = ""
    user_domain_name: Annotated[str, msgspec.Meta(description="Domain of the service user")] = (
        "Default"
    )
    project_name: Annotated[str, msgspec.Meta(description="Project of the service user")] = (
        "service"
    )
    project_domain_name: Annotated[str, msgspec.Meta(description="Domain of that project")] = (
        "Default"
    )
    ca_file: Annotated[
        str, msgspec.Meta(description="Authorities that sign Keystone's certificate; empty: usual")
    ] = ""
    fresh_s: Annotated[
        float,
        msgspec.Meta(ge=0, description="A revoked token ends within so many seconds"),
    ] = 60.0
    outage_s: Annotated[
        float,
        msgspec.Meta(ge=0, description="Known tokens go on so long without Keystone, in seconds"),
    ] = 300.0
    timeout_s: Annotated[
        float, msgspec.Meta(gt=0, description="Longest wait for Keystone, in seconds")
    ] = 5.0
    retry_s: Annotated[
        float,
        msgspec.Meta(ge=0, description="Pause after Keystone did not answer, in seconds"),
    ] = 1.0
    held_max: Annotated[int, msgspec.Meta(ge=1, description="Most tokens kept in memory")] = 50_000
    asking_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most tokens that are being checked at once")
    ] = 256
    threads: Annotated[int, msgspec.Meta(ge=1, description="Most calls of Keystone at once")] = 8
