"""A version names the commit of the code, wherever it runs: gitrepository-layout(5) says how."""

from pathlib import Path

import pytest

from alcor.agent.metrics import Metrics
from alcor.runtime.version import of_tree, version

COMMIT = "65a7d7e74421f66bb169658d20e8f24a75b21693"
OTHER = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_COMMIT", raising=False)


def write(root: Path, **text_by_path: str) -> None:
    for path, text in text_by_path.items():
        file = root / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_a_clone_on_a_branch_is_of_the_branch_s_commit(tmp_path: Path) -> None:
    write(tmp_path / ".git", HEAD="ref: refs/heads/main\n", refs__heads__main=f"{COMMIT}\n")

    assert of_tree(tmp_path) == "0.1.0+g65a7d7e74"


def test_a_new_clone_has_its_branches_packed(tmp_path: Path) -> None:
    packed = f"# pack-refs with: peeled fully-peeled sorted\n{OTHER} refs/heads/a\n"
    packed += f"{COMMIT} refs/heads/main\n{OTHER} refs/heads/main2\n^{OTHER}\n"
    write(tmp_path / ".git", HEAD="ref: refs/heads/main\n", **{"packed-refs": packed})

    assert of_tree(tmp_path) == "0.1.0+g65a7d7e74"


def test_a_branch_that_went_on_is_newer_than_what_is_packed(tmp_path: Path) -> None:
    packed = f"{OTHER} refs/heads/main\n"
    head, branch = "ref: refs/heads/main\n", f"{COMMIT}\n"
    write(tmp_path / ".git", HEAD=head, refs__heads__main=branch, **{"packed-refs": packed})

    assert of_tree(tmp_path) == "0.1.0+g65a7d7e74"


def test_a_checkout_of_a_commit_is_of_that(tmp_path: Path) -> None:
    write(tmp_path / ".git", HEAD=f"{COMMIT}\n")

    assert of_tree(tmp_path) == "0.1.0+g65a7d7e74"


def test_a_worktree_is_of_its_own_branch(tmp_path: Path) -> None:
    clone, worktree = tmp_path / "clone", tmp_path / "worktree"
    write(clone / ".git", HEAD="ref: refs/heads/main\n", refs__heads__main=f"{OTHER}\n")
    write(clone / ".git", refs__heads__mine=f"{COMMIT}\n")
    own = clone / ".git" / "worktrees" / "mine"
    write(own, HEAD="ref: refs/heads/mine\n", commondir="../..\n")
    write(worktree, **{".git": f"gitdir: {own}\n"})

    assert of_tree(worktree) == "0.1.0+g65a7d7e74"


def test_an_image_is_told_the_commit_as_it_has_no_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_COMMIT", COMMIT)

    assert of_tree(tmp_path) == "0.1.0+g65a7d7e74"


def test_a_source_archive_is_of_the_commit_that_it_was_made_of(tmp_path: Path) -> None:
    said = "Metadata-Version: 2.4\nName: alcor\nVersion: 0.1.0+g012345678\nSummary: S\n"
    write(tmp_path, **{"PKG-INFO": said})

    assert of_tree(tmp_path) == "0.1.0+g012345678"


def test_without_history_the_release_stands_alone(tmp_path: Path) -> None:
    write(tmp_path / ".git", HEAD="ref: refs/heads/main\n")

    assert of_tree(tmp_path) == of_tree(tmp_path / "none") == "0.1.0"


def test_what_runs_from_a_checkout_is_of_it() -> None:
    assert version() == of_tree(Path(__file__).parents[3])


def test_an_agent_tells_its_version_as_roles_do() -> None:
    said = Metrics().registry.get_sample_value(
        "alcor_build_info", {"version": version(), "role": "agent"}
    )

    assert said == 1
