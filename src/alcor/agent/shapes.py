"""Matches and actions of one shape, made by the thousand.

A shape checks its constants once and is then filled with exact values that are known to fit (a MAC
of a `Mac`, a VNI of a `Network`); the result equals what `match` and `set_field` give. Ten times
as quick, which is what counts with one flow for each neighbour of a network.
"""

from collections.abc import Callable
from typing import Unpack

from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import Match, MatchFields, SetField, Term, match

_new = tuple.__new__  # a NamedTuple without the detour through its constructor


def match_by(one: str, two: str, **constants: Unpack[MatchFields]) -> Callable[[int, int], Match]:
    """A match on constants and on two fields, whose values are given later."""
    first, second = FIELD_BY_NAME[one], FIELD_BY_NAME[two]
    template = list(match(**constants).terms)
    template += [Term(first.place, 0, first.full), Term(second.place, 0, second.full)]
    template.sort()
    places = [term.field for term in template]
    assert len(set(places)) == len(places), "a field is named twice"
    first_at, second_at = places.index(first.place), places.index(second.place)
    first_place, first_full = first.place, first.full
    second_place, second_full = second.place, second.full

    def fill(value: int, other: int) -> Match:
        terms = template.copy()
        terms[first_at] = _new(Term, (first_place, value, first_full))
        terms[second_at] = _new(Term, (second_place, other, second_full))
        return _new(Match, (tuple(terms),))

    return fill


def match_on(name: str, **constants: Unpack[MatchFields]) -> Callable[[int, int], Match]:
    """A match on constants and on some bits of one field: its value and mask are given later.

    The mask is not empty, and the value has no bits outside it.
    """
    field = FIELD_BY_NAME[name]
    template = list(match(**constants).terms)
    template.append(Term(field.place, 0, field.full))
    template.sort()
    at, place = [term.field for term in template].index(field.place), field.place

    def fill(value: int, mask: int) -> Match:
        terms = template.copy()
        terms[at] = _new(Term, (place, value, mask))
        return _new(Match, (tuple(terms),))

    return fill


def set_to(name: str) -> Callable[[int], SetField]:
    """Setting a whole field, to a value that is given later."""
    field = FIELD_BY_NAME[name]
    place, full, kind = field.place, field.full, SetField(0, 0, 0).kind

    def fill(value: int) -> SetField:
        return _new(SetField, (place, value, full, kind))

    return fill
