"""The language of oslo.policy, compiled: who may do what, as an expression over caller and target.

    rule:admin_only or (role:member and project_id:%(project_id)s)

`role:R`, `rule:NAME`, `@` (always), `!` (never), `KIND:MATCH` where KIND is an attribute of the
caller (of several values, one must match) or a literal, and Neutron's
`field:RESOURCES:NAME=VALUE`. A rule may also be asked without its target: the verdict is None where
only the target can tell. That is how most requests are decided once for all callers of the same
roles.

Source: oslo.policy, "Policy Rule Expressions"; neutron.policy, FieldCheck.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Verdict = bool | None  # None: only the target can tell
Credentials = Mapping[str, Any]
Target = Mapping[str, Any] | None
Check = Callable[[Credentials, Target], Verdict]

# Of the network that a port or subnet is on: fetched only when a verdict depends on them.
PARENT = "network:"

_ONE = re.compile(r"%\(([^)]+)\)s")
_OF_ROLES = frozenset(
    {"is_admin", "service_roles", "system_scope"}
)  # the same for all callers of the same roles
depth_max = 50  # of rules that name rules


class RuleError(ValueError):
    """A rule can't be read, or names one that is not there."""


class Rules:
    """Rules by name, each compiled once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._check_by_name: dict[str, Check] = {}
        for name, text in texts.items():
            try:
                self._check_by_name[name] = self._compiled(text)
            except RuleError as error:
                raise RuleError(f"{name}: {error}") from None
        for name in texts:
            self._refuse_endless(name, texts)

    def __contains__(self, name: str) -> bool:
        return name in self._check_by_name

    def verdict(self, name: str, caller: Credentials, target: Target) -> Verdict:
        """Whether the rule holds; None where it depends on what of the target is not known."""
        return self._check_by_name[name](caller, target)

    def _compiled(self, text: str) -> Check:
        if not text.strip():
            return _always
        words = list(_words(text))
        check, rest = self._any(words)
        if rest:
            raise RuleError(f"'{rest[0]}' is not expected")
        return check

    def _any(self, words: list[str]) -> tuple[Check, list[str]]:
        check, words = self._all(words)
        checks = [check]
        while words and words[0].lower() == "or":
            check, words = self._all(words[1:])
            checks.append(check)
        return (checks[0] if len(checks) == 1 else _either(checks)), words

    def _all(self, words: list[str]) -> tuple[Check, list[str]]:
        check, words = self._one(words)
        checks = [check]
        while words and words[0].lower() == "and":
            check, words = self._one(words[1:])
            checks.append(check)
        return (checks[0] if len(checks) == 1 else _both(checks)), words

    def _one(self, words: list[str]) -> tuple[Check, list[str]]:
        if not words:
            raise RuleError("it ends too soon")
        word, rest = words[0], words[1:]
        if word.lower() == "not":
            check, rest = self._one(rest)
            return _not(check), rest
        if word == "(":
            check, rest = self._any(rest)
            if not rest or rest[0] != ")":
                raise RuleError("a parenthesis is not closed")
            return check, rest[1:]
        return self._atom(word), rest

    def _atom(self, word: str) -> Check:
        if word in ("@", "!"):
            return _always if word == "@" else _never
        kind, colon, match = word.partition(":")
        if not colon:
            raise RuleError(f"'{word}' is no check")
        if kind == "rule":
            return self._named(match)
        if kind == "role":
            return _role(match)
        return _field(match) if kind == "field" else _generic(kind, match)

    def _named(self, name: str) -> Check:
        checks = self._check_by_name
        return lambda caller, target: checks[name](caller, target)

    def _refuse_endless(self, name: str, texts: Mapping[str, str]) -> None:
        names = {name}
        for _ in range(depth_max):
            names = {each for some in names for each in _rules_in(texts[some])}
            if unknown := sorted(names - texts.keys()):
                raise RuleError(f"{name}: there is no rule {', '.join(unknown)}")
            if not names:
                return
        raise RuleError(f"{name}: it names itself, or more than {depth_max} rules deep")


def _words(text: str) -> Iterator[str]:
    for part in text.split():
        word = part.lstrip("(")
        yield from "(" * (len(part) - len(word))
        bare = word.rstrip(")")  # those of `%(name)s` are followed by an s
        if bare:
            yield bare
        yield from ")" * (len(word) - len(bare))


def _rules_in(text: str) -> set[str]:
    return {word.removeprefix("rule:") for word in _words(text) if word.startswith("rule:")}


def _always(caller: Credentials, target: Target) -> Verdict:
    return True


def _never(caller: Credentials, target: Target) -> Verdict:
    return False


def _either(checks: list[Check]) -> Check:
    def check(caller: Credentials, target: Target) -> Verdict:
        verdict: Verdict = False
        for each in checks:
            one = each(caller, target)
            if one:
                return True
            if one is None:
                verdict = None
        return verdict

    return check


def _both(checks: list[Check]) -> Check:
    def check(caller: Credentials, target: Target) -> Verdict:
        verdict: Verdict = True
        for each in checks:
            one = each(caller, target)
            if one is False:
                return False
            if one is None:
                verdict = None
        return verdict

    return check


def _not(inner: Check) -> Check:
    def check(caller: Credentials, target: Target) -> Verdict:
        verdict = inner(caller, target)
        return None if verdict is None else not verdict

    return check


def _role(match: str) -> Check:
    wanted = _filled(match)

    def check(caller: Credentials, target: Target) -> Verdict:
        role = wanted(target)
        if role is None or role is _UNKNOWN:
            return None if role is _UNKNOWN else False
        return str(role).lower() in caller["roles"]

    return check


def _field(match: str) -> Check:
    resource, _, rest = match.partition(":")
    name, equals, value = rest.rpartition("=")
    if not equals:
        raise RuleError(f"'field:{match}' has no value")
    pattern = re.compile(value[1:]) if value.startswith("~") else None
    names = (name, f"{PARENT}{name}") if resource == "networks" else (name,)

    def check(caller: Credentials, target: Target) -> Verdict:
        if target is None:
            return None
        for each in names:
            if each in target:
                found = str(target[each])
                return bool(pattern.match(found)) if pattern else found == value
        return None if len(names) == 2 and f"{PARENT}id" not in target else False

    return check


def _generic(kind: str, match: str) -> Check:
    wanted = _filled(match)
    try:
        literal = str(ast.literal_eval(kind))
    except (ValueError, SyntaxError):
        literal = None
    varies = literal is None and kind not in _OF_ROLES

    def check(caller: Credentials, target: Target) -> Verdict:
        value = wanted(target)
        if value is _UNKNOWN or (varies and target is None):
            return None
        if value is None or (literal is None and kind not in caller):
            return False
        if literal is None and isinstance(caller[kind], tuple):
            return value in caller[kind]
        return (literal or str(caller[kind])) == value

    return check


_UNKNOWN = object()


def _filled(match: str) -> Callable[[Target], object]:
    """`match` with the target's values in it: None when one is missing, or `_UNKNOWN`."""
    names = _ONE.findall(match)
    if not names:
        return lambda target: match

    def fill(target: Target) -> object:
        if target is None:
            return _UNKNOWN
        for name in names:
            if name not in target:
                unknown = name.startswith(PARENT) and f"{PARENT}id" not in target
                return _UNKNOWN if unknown else None
        return match % target

    return fill
