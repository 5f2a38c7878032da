"""What all tests share: `--update` writes recorded outputs again; reviewers read the difference."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="write the recorded outputs of scenarios again"
    )


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether recorded outputs are to be written again."""
    return bool(request.config.getoption("--update"))
