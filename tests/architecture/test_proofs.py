"""The page of features says what tests have shown, and no more."""

from tests.fixtures import proofs


def test_what_tests_claim_to_prove_is_what_a_run_has_recorded() -> None:
    """After a new claim: `pytest tests/system/ROOM/FILE --update`, as root."""
    assert proofs.recorded() == proofs.claimed()


def test_what_is_said_not_to_be_there_is_of_a_feature_and_proven_by_no_test() -> None:
    cells = {
        (each.feature, family, place)
        for each in proofs.claimed()
        for family in each.families.split()
        for place in each.places.split()
    }
    for feature, families, places in proofs.NOT_THERE:
        assert feature in {named for named, _, _ in cells}
        said = {(feature, family, place) for family in families.split() for place in places.split()}
        assert not said & cells
