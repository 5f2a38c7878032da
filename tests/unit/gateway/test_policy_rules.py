"""Our evaluation of oslo.policy's language answers as oslo.policy itself does."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg
from oslo_policy import policy

from alcor.gateway.policy.defaults import DEFAULTS
from alcor.gateway.policy.rules import RuleError, Rules

ATOMS = (
    "@",
    "!",
    "role:admin",
    "role:Member",
    "role:%(wanted)s",
    "rule:owner",
    "project_id:%(project_id)s",
    "user_id:u-1",
    "True:%(shared)s",
    "'x':%(name)s",
    "nobody:%(project_id)s",
    "project_id:%(missing)s",
)
NAMED = {"owner": "role:member and project_id:%(project_id)s"}
CALLERS = (
    {"roles": ("admin",), "project_id": "p-1", "user_id": "u-1"},
    {"roles": ("member", "reader"), "project_id": "p-1", "user_id": "u-2"},
    {"roles": ("reader",), "project_id": "p-2", "user_id": "u-1"},
)
TARGETS = (
    {"project_id": "p-1", "shared": True, "name": "x", "wanted": "reader"},
    {"project_id": "p-2", "shared": False, "name": "y", "wanted": "admin"},
)


def joined(parts: "st.SearchStrategy[str]") -> "st.SearchStrategy[str]":
    return st.one_of(
        st.tuples(parts, st.sampled_from(("and", "or", "AND", "Or")), parts).map(" ".join),
        parts.map(lambda part: f"({part})"),
        parts.map(lambda part: f"not ({part})"),
    )


EXPRESSIONS = st.recursive(st.sampled_from(ATOMS), joined, max_leaves=8)


def oracle(texts: dict[str, str]) -> policy.Enforcer:
    configuration = cfg.ConfigOpts()
    configuration([])
    enforcer = policy.Enforcer(configuration, use_conf=False)
    enforcer.set_rules(policy.Rules.from_dict(texts), use_conf=False)
    return enforcer


@given(EXPRESSIONS)
def test_an_expression_holds_just_when_oslo_policy_says_so(text: str) -> None:
    texts = NAMED | {"asked": text}
    rules, enforcer = Rules(texts), oracle(texts)

    for caller, target in itertools.product(CALLERS, TARGETS):
        ours = bool(rules.verdict("asked", caller, target))
        theirs = enforcer.enforce("asked", dict(target), dict(caller, roles=list(caller["roles"])))
        assert ours == theirs, (text, caller, target)


@given(EXPRESSIONS)
def test_what_is_certain_without_a_target_holds_for_every_target(text: str) -> None:
    rules = Rules(NAMED | {"asked": text})

    for caller in CALLERS:
        verdict = rules.verdict("asked", caller, None)
        if verdict is not None:
            assert {bool(rules.verdict("asked", caller, target)) for target in TARGETS} == {verdict}


@pytest.mark.parametrize(
    "text", ["role:a and", "(role:a", "role:a)", "role", "rule:nowhere", "rule:asked", "or role:a"]
)
def test_a_rule_that_makes_no_sense_is_refused_at_start(text: str) -> None:
    with pytest.raises(RuleError):
        Rules({"asked": text})


def test_neutrons_field_checks_compare_the_target() -> None:
    rules = Rules({"shared": "field:networks:shared=True", "net": "field:port:owner=~^network:"})

    assert rules.verdict("shared", CALLERS[1], {"shared": True}) is True
    assert (
        rules.verdict("shared", CALLERS[1], {"network:id": "n", "network:shared": False}) is False
    )
    assert rules.verdict("shared", CALLERS[1], {"name": "port"}) is None
    assert rules.verdict("net", CALLERS[1], {"owner": "network:dhcp"}) is True
    assert rules.verdict("net", CALLERS[1], {"owner": "compute:nova"}) is False


def test_the_defaults_can_be_read() -> None:
    assert "create_network:shared" in Rules(DEFAULTS)
