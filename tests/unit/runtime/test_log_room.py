import asyncio
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from alcor.runtime.sql.log_room import LogRoom, step_bytes_max
from alcor.runtime.sql.sqlite import SqliteDatabase

page_bytes = 4_096


def make_table(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS thing (it BLOB)")


def add_page(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO thing VALUES (randomblob(?))", (page_bytes,))


async def fill(path: Path, commits: int, kept: Path | None = None) -> list[int]:
    """How long the log was after each commit; `kept` gets what a crash at the end would leave."""
    database = SqliteDatabase(path)
    lengths: list[int] = []
    await database.write(make_table)
    for _ in range(commits):
        await database.write(add_page)
        lengths.append(log_of(path).stat().st_size)
    if kept is not None:
        shutil.copytree(path.parent, kept)
    await database.close()
    return lengths


async def crash(folder: Path) -> None:
    (folder / "run").mkdir()
    await fill(folder / "run" / "it.sqlite", 25, folder / "crashed")


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        (count,) = connection.execute("SELECT count(*) FROM thing").fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()
    return int(count)


def test_few_commits_make_the_log_longer(tmp_path: Path) -> None:
    lengths = asyncio.run(fill(tmp_path / "it.sqlite", 100))

    assert len(set(lengths)) < 10
    assert lengths[-1] < 4 * 100 * 3 * page_bytes


def test_what_was_committed_is_there_after_acrash(tmp_path: Path) -> None:
    asyncio.run(crash(tmp_path))

    assert rows(tmp_path / "crashed" / "it.sqlite") == 25


def test_a_log_that_acrash_left_is_not_made_longer_at_once(tmp_path: Path) -> None:
    asyncio.run(crash(tmp_path))
    left = log_of(tmp_path / "crashed" / "it.sqlite").stat().st_size

    lengths = asyncio.run(fill(tmp_path / "crashed" / "it.sqlite", 1))

    assert lengths == [left]


def test_a_long_log_grows_by_steps(tmp_path: Path) -> None:
    log = log_of(tmp_path / "it.sqlite")
    log.write_bytes(b"")
    room = LogRoom(tmp_path / "it.sqlite")
    with log.open("r+b") as file:
        file.truncate(3 * step_bytes_max)

    room.keep()
    room.keep()
    room.close()

    assert log.stat().st_size == 4 * step_bytes_max


@pytest.fixture
def disk_is_full(tmp_path: Path) -> Iterator[Path]:
    log = log_of(tmp_path / "it.sqlite")
    log.write_bytes(bytes(page_bytes))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (page_bytes, hard))
    yield log
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_hurts_nobody_yet(tmp_path: Path, disk_is_full: Path) -> None:
    room = LogRoom(tmp_path / "it.sqlite")

    room.keep()
    room.close()

    assert disk_is_full.stat().st_size == page_bytes
