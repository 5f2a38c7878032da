"""The page of features says what tests have shown, and no more."""

from tests import proofs


def test_what_tests_claim_to_prove_is_what_a_run_has_recorded() -> None:
    """After a new claim: `pytest tests/system/FILE --update`, as root."""
    assert proofs.recorded() == proofs.claimed()
