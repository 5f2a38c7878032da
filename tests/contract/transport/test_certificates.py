"""When a certificate ends is known before it does, from the files that are used."""

import time
from pathlib import Path

import pytest
from tests.fixtures.authority import Authority

from alcor.transport.certificates import certificate_of, end_s
from alcor.transport.tls import TlsFiles

day_s = 86_400.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority", days=30)


@pytest.mark.parametrize("of_server", [True, False])
def test_a_certificate_says_whose_it_is_and_when_it_ends(
    authority: Authority, of_server: bool
) -> None:
    found = certificate_of(authority.files("h1", days=9), of_server=of_server)

    assert found.names == {"h1", "127.0.0.1"}
    assert found.ends_s == pytest.approx(time.time() + 9 * day_s, abs=60)


@pytest.mark.parametrize("of_server", [True, False])
def test_one_that_has_ended_is_read_as_well(authority: Authority, of_server: bool) -> None:
    found = certificate_of(authority.files("old", days=-1), of_server=of_server)

    assert found.ends_s == pytest.approx(time.time() - day_s, abs=60)


def test_it_ends_with_the_authority_that_signed_it(authority: Authority, tmp_path: Path) -> None:
    """Of several in the file, as while it is changed, that one counts."""
    files = authority.files("h2", days=99)
    both = tmp_path / "both.pem"
    other = Authority(tmp_path / "other", days=1)
    both.write_bytes(other.files("h2").authority.read_bytes() + files.authority.read_bytes())

    found = certificate_of(TlsFiles(both, files.certificate, files.key), of_server=False)

    assert found.ends_s == pytest.approx(time.time() + 30 * day_s, abs=60)


def test_files_that_cant_be_used_are_refused(authority: Authority, tmp_path: Path) -> None:
    files, stranger = authority.files("h3"), Authority(tmp_path / "stranger").files("h3")
    wrong = {
        "KEY_VALUES_MISMATCH": files._replace(key=stranger.key),
        "CERTIFICATE_VERIFY_FAILED": files._replace(authority=stranger.authority),
        "No such file": files._replace(certificate=tmp_path / "none"),
    }

    for why, each in wrong.items():
        with pytest.raises(OSError, match=why):
            certificate_of(each, of_server=False)
        assert end_s(each, of_server=False) == 0
