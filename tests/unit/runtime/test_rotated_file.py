"""A file of lines that does not outgrow its share of the disk."""

from pathlib import Path

from alcor.runtime.observability.rotated_file import RotatedFile

LINE = b"123456789\n"


def test_a_full_file_becomes_an_older_one_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lines"
    lines = RotatedFile(path, bytes_max=20, kept=2)

    for number in range(9):
        assert lines.write(b"%09d\n" % number)

    found = {each.name: each.read_bytes().split() for each in path.parent.iterdir()}
    assert found == {
        "lines": [b"000000008"],
        "lines.1": [b"000000006", b"000000007"],
        "lines.2": [b"000000004", b"000000005"],
    }


def test_without_older_files_a_full_one_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = RotatedFile(path, bytes_max=20, kept=0)

    for _ in range(3):
        assert lines.write(LINE)

    assert [each.name for each in tmp_path.iterdir()] == ["lines"]
    assert path.read_bytes() == LINE


def test_a_file_that_is_moved_away_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = RotatedFile(path, bytes_max=1_000, kept=1)
    lines.write(LINE)
    path.rename(tmp_path / "elsewhere")

    lines.write(LINE)

    assert path.read_bytes() == LINE
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_can_not_be_written_is_said_and_the_next_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = RotatedFile(path, bytes_max=1_000, kept=1)
    path.unlink()
    path.mkdir()

    assert not lines.write(LINE)
    path.rmdir()
    assert lines.write(LINE)
