"""What callers may do: rules, the operator's over the defaults, decided once for equal roles.

For a caller's roles each rule is decided without its target first. What is then certain costs a
request nothing more; only what depends on the target is looked at item by item.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from alcor.contracts.resources import Caller
from alcor.gateway.policy.defaults import DEFAULTS, default_of
from alcor.gateway.policy.rules import RuleError, Rules, Verdict
from alcor.resource.declaration import Resource
from alcor.resource.tags import TAGS
from alcor.runtime.config import ConfigError, file_of
from alcor.values.errors import Kind, Refusal

kept_max = 10_000  # rights of kinds for combinations of roles
VERBS = ("create", "update", "delete", "get")

Document = Mapping[str, Any]


def tags_rule(verb: str, resource: Resource) -> str:
    """The name of the rule about the tags of a kind, which is Neutron's."""
    return f"{verb}_{resource.collection}_tags"


class PolicyNotAuthorized(Refusal):
    """They may see it, but not do this. The message names the rules, as Neutron's does."""

    kind = Kind.FORBIDDEN

    def __init__(self, names: Sequence[str]) -> None:
        text = f"rule:{names[0]}"
        for name in names[1:]:
            text = f"({text} and rule:{name})"
        super().__init__(f"{text} is disallowed by policy")


class Right(NamedTuple):
    """To one verb of one kind: of the whole, and of each field that is not certain."""

    name: str  # of the rule
    whole: Verdict
    fields: Mapping[str, Verdict]

    @property
    def certain(self) -> bool:
        """Nothing needs to be looked at."""
        return self.whole is True and not self.fields


class Policy:
    """Decides. `ConfigError` when the operator's rules can't be read."""

    def __init__(self, resources: Iterable[Resource], rules: Mapping[str, str]) -> None:
        self._resources = {resource.name: resource for resource in resources}
        texts = dict(DEFAULTS)
        for resource in self._resources.values():
            for verb in VERBS:
                name = f"{verb}_{resource.rule_name}"
                texts.setdefault(name, default_of(name))
            if TAGS in resource.field_by_name:
                for verb in VERBS:
                    held = texts[f"{'get' if verb == 'get' else 'update'}_{resource.rule_name}"]
                    texts.setdefault(tags_rule(verb, resource), held)
            for action in resource.actions:
                verb = "get" if action.method == "GET" else "update"
                texts.setdefault(action.name, texts[f"{verb}_{resource.rule_name}"])
        try:
            self._rules = Rules(texts | dict(rules))
        except RuleError as error:
            raise ConfigError(f"policy: {error}") from error
        self._kept: dict[tuple[object, ...], Right] = {}

    def right(self, caller: Caller, verb: str, resource: Resource) -> Right:
        """What the caller's roles alone say about a verb, or an action by its name."""
        key = (
            *(verb, resource.name, caller.roles, caller.admin, caller.system),
            caller.service_roles,
        )
        right = self._kept.get(key)
        if right is None:
            if len(self._kept) >= kept_max:
                self._kept.clear()
            right = self._kept[key] = self._decided(caller, verb, resource)
        return right

    def holds(self, caller: Caller, name: str, target: Document) -> Verdict:
        """Whether a rule holds for a target; None: it depends on the network that it is on."""
        return self._rules.verdict(name, _credentials(caller), target)

    def rules_named(self, right: Right, fields: Iterable[str]) -> list[str]:
        """The rules of a verb and of these fields, for the message of a refusal."""
        names = (f"{right.name}:{field}" for field in fields)
        return [right.name, *(name for name in names if name in self._rules)]

    def _decided(self, caller: Caller, verb: str, resource: Resource) -> Right:
        name = f"{verb}_{resource.rule_name}" if verb in VERBS else verb
        credentials = _credentials(caller)
        fields: dict[str, Verdict] = {}
        for field in resource.fields:
            for part in (field.name, *(f"{field.name}:{part}" for part in field.parts)):
                rule = f"{name}:{part}"
                if rule in self._rules:
                    verdict = self._rules.verdict(rule, credentials, None)
                    if verdict is not True:
                        fields[part] = verdict
        return Right(name, self._rules.verdict(name, credentials, None), fields)


def _credentials(caller: Caller) -> dict[str, Any]:
    """The caller as rules see it; what it has not is left out, so that it equals nothing."""
    # Where nobody is asked who they are, everybody is an administrator and has every role.
    roles = caller.roles or (("admin", "service", "member", "reader") if caller.admin else ())
    known: dict[str, Any] = {"roles": roles, "is_admin": caller.admin}
    if caller.service_roles:
        known["service_roles"] = caller.service_roles
    if caller.project_id:
        known |= {"project_id": caller.project_id, "tenant_id": caller.project_id}
    if caller.user_id:
        known["user_id"] = caller.user_id
    if caller.system:
        known["system_scope"] = "all"
    return known


def read_rules(path: str) -> dict[str, str]:
    """The operator's rules: a YAML or JSON file of names and expressions; "" is no file."""
    if not path:
        return {}
    content = file_of("gateway.policy_file", path)
    try:
        return msgspec.yaml.decode(content, type=dict[str, str]) or {}
    except ValueError as error:
        raise ConfigError(f"gateway.policy_file = {path}: {error}") from error
