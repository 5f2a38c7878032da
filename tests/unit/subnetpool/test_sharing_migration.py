"""What was shared before sharing policies came is shared by one afterwards."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from alcor.managers.subnetpool.app import VERSIONS
from alcor.runtime.sql.migrations import migrate
from alcor.runtime.tables import sharing


def test_pools_and_scopes_that_were_shared_stay_so(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(VERSIONS / "v0001_first.py", old)
    file = tmp_path / "subnetpool.db"
    migrate(file, old)
    with closing(sqlite3.connect(file)) as connection:
        for id_, shared in (("one", 1), ("two", 0)):
            connection.execute(
                "INSERT INTO subnetpool VALUES (?, 'ann', '', ?, 0, 4, NULL, 1, '{}')",
                (id_, shared),
            )
            connection.execute(
                "INSERT INTO address_scope VALUES (?, 'ann', '', ?, 1, '{}')", (f"s-{id_}", shared)
            )
        connection.commit()

    migrate(file, VERSIONS)

    with closing(sqlite3.connect(file)) as connection:
        for id_ in ("one", "s-one"):
            (policy,) = sharing.of_object(connection, id_)
            assert (policy.target_tenant, policy.action) == ("*", "access_as_shared")
            assert policy.project_id == "ann"
        for id_ in ("two", "s-two"):
            assert sharing.of_object(connection, id_) == []
        used = connection.execute("SELECT project_id, count FROM used WHERE kind = 'rbac_policy'")
        assert used.fetchall() == [("ann", 2)]
