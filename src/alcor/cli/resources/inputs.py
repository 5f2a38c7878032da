"""Fields of the API as options: their names, and how the text of an option becomes JSON.

What a value may be, the control plane says: here a text only gets its form. `none` stands for null,
or for an empty list; a name stands for the id of what is called so.
"""

from collections.abc import Callable, Iterable, Sequence
from inspect import Parameter
from typing import Annotated, Any

import msgspec
import typer

from alcor.cli.kinds import is_list, keys_of, referred, resources
from alcor.cli.options import named
from alcor.cli.session import names_of
from alcor.resource.declaration import UNSET, Field
from alcor.resource.glossary import meaning

FindId = Callable[[str, str], str]  # (command name of a kind, name or id) -> id

NONE = "none"
_PAIRED = ("destination", "opt_name")  # first keys of records that are often written FIRST=SECOND
# Short names beside those that are made of the fields'.
_SHORT = {
    "provider:segmentation_id": "vni",
    "provider:network_type": "network-type",
    "provider:physical_network": "physical-network",
    "gateway_ip": "gateway",
    "allocation_pools": "pool",
    "dns_nameservers": "dns",
    "enable_dhcp": "dhcp",
    "binding:host_id": "host",
    "mac_address": "mac",
    "floating_network_id": "external",
    "floating_ip_address": "address",
    "fixed_ip_address": "fixed-address",
    "router:external": "external",
    "target_tenant": "target-project",
    "internal_port_id": "port",
}
_IN_FULL = ("internal_port_id",)  # where another field has the name without _id
_METAVARS = {
    "uuid": "ID",
    "cidr": "CIDR",
    "ip address": "ADDRESS",
    "mac address": "MAC",
    "host name": "HOST",
    "object": "JSON",
}


def option_names(field: Field) -> list[str]:
    """Without dashes: the long one and perhaps a short one, as in `binding-host-id`, `host`."""
    name = field.name
    if referred(name) and name not in _IN_FULL:
        name = _one(name).removesuffix("_id")
    elif is_list(field):
        name = _one(name)
    names = [name.replace(":", "-").replace("_", "-")]
    return names + ([_SHORT[field.name]] if field.name in _SHORT else [])


def _one(name: str) -> str:
    """One of many: `addresses` -> `address`."""
    for ending, single in (("sses", "ss"), ("xes", "x"), ("s", "")):
        if name.endswith(ending):
            return name.removesuffix(ending) + single
    return name


def _parameter_names(field: Field) -> tuple[str, str]:
    """What the values of its options are called in Python."""
    name = field.name.replace(":", "_").replace("-", "_")
    return f"field_{name}", f"field_{name}_in_full"


def is_flag(field: Field) -> bool:
    """Whether the option is a pair of flags: --shared, --no-shared."""
    return field.type.name.startswith("boolean")


def is_inert(field: Field) -> bool:
    """Whether the field takes one value only: then there is nothing to choose."""
    return field.type.name.startswith("only ")


def options_of(
    kind: str, fields: Iterable[Field], *, panel: str = "", creating: bool = False
) -> list[Parameter]:
    """The options of fields, as Typer reads them. Of two names help tells the short one."""
    made = []
    for field in fields:
        about = _help(kind, field, creating=creating)
        kind_of_ids = "" if keys_of(field) else referred(field.name)
        for number, name in enumerate(reversed(option_names(field))):
            option = typer.Option(
                f"--{name}/--no-{name}" if is_flag(field) else f"--{name}",
                help=about,
                metavar=None if is_flag(field) else _metavar(field),
                hidden=number > 0,
                show_default=False,
                rich_help_panel=panel or None,
                autocompletion=names_of(kind_of_ids) if kind_of_ids else None,
            )
            type_ = _value_type(field)
            made.append(named(_parameter_names(field)[number], Annotated[type_, option]))
    return made


def _value_type(field: Field) -> Any:
    if is_flag(field):
        return bool | None
    return list[str] | None if is_list(field) else str | None


def _help(kind: str, field: Field, *, creating: bool) -> str:
    words = [meaning(kind, field.name)]
    if keys := keys_of(field):
        words.append(f"Keys: {', '.join(_short_key(key) for key in keys)}.")
    if is_list(field):
        words.append("Repeatable.")
    if creating and field.required:
        words.append("Required.")
    elif creating and field.default not in (UNSET, None, "", [], {}, 0):
        words.append(f"Default: {_said(field.default)}.")
    return " ".join(words)


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _short_key(key: str) -> str:
    return (key.removesuffix("_id") if referred(key) else key).replace("_", "-")


def _metavar(field: Field) -> str:
    if keys_of(field):
        return "KEY=VALUE,..."
    if kind := referred(field.name):
        return kind.upper()
    name = field.type.name.removeprefix("list of ").removesuffix(" or null")
    if values := _choices(field):
        return "|".join(map(str, values)) if len(values) < 5 else "WORD"
    if name.startswith("integer("):
        return "NUMBER"
    return _METAVARS.get(name, "TEXT")


def _choices(field: Field) -> list[object]:
    schema = field.type.schema
    some = next((one for one in schema.get("anyOf", ()) if "enum" in one), schema)
    return [value for value in some.get("enum", ()) if value is not None]


def value_of(field: Field, given: Any, find_id: FindId) -> Any:
    """The JSON of what an option was given; `typer.BadParameter` when it has no such form."""
    if isinstance(given, bool):
        return given
    if is_list(field):
        texts = [given] if isinstance(given, str) else list(given)
        if texts == [NONE]:
            return []
        return [_element(field, text, find_id) for text in texts]
    return _element(field, given, find_id)


def _element(field: Field, text: str, find_id: FindId) -> Any:
    if text == NONE and _takes_null(field):
        return None
    if text[:1] == "{" and (_is_record(field, text) or field.type.name == "object"):
        return _json(field, text)
    if _is_record(field, text):
        return _record(field, text, find_id)
    if kind := referred(field.name):
        return find_id(kind, text)
    return _scalar(field.type.name, text)


def _takes_null(field: Field) -> bool:
    return field.type.name.endswith("or null")


def _is_record(field: Field, text: str) -> bool:
    return bool(keys_of(field)) or (_holds_records(field) and ("=" in text or text[:1] == "{"))


def _holds_records(field: Field) -> bool:
    """Whether a list's elements are objects, though its type's name has not their keys."""
    return is_list(field) and field.type.schema.get("items", {}).get("type") == "object"


def _json(field: Field, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise typer.BadParameter(
            f"--{option_names(field)[0]}: this is not JSON: {problem}"
        ) from None


def _record(field: Field, text: str, find_id: FindId) -> dict[str, Any]:
    """`subnet=blue,ip-address=10.0.0.9`; routes and options also `FIRST=SECOND`, ranges `A-B`."""
    keys = keys_of(field)
    if keys == ["start", "end"] and "=" not in text and "-" in text:
        return dict(zip(keys, text.split("-", 1), strict=True))
    made: dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or not name or not value:
            raise typer.BadParameter(_form(field, part))
        key = _key(name.strip(), keys)
        if key:
            kind = referred(key)
            made[key] = find_id(kind, value) if kind else _scalar(_part_type(field, key), value)
        elif keys[0] in _PAIRED and not made:
            made |= {keys[0]: name, keys[1]: value}
        else:
            raise typer.BadParameter(_form(field, part))
    return made


def _key(name: str, keys: Sequence[str]) -> str:
    plain = name.replace("-", "_")
    if not keys:
        return plain
    return next((key for key in keys if plain in (key, _short_key(key).replace("-", "_"))), "")


def _form(field: Field, part: str) -> str:
    keys = [_short_key(key) for key in keys_of(field)] or ["KEY"]
    form = ",".join(f"{key}=..." for key in keys)
    return f"'{part}' is not of the form {form} (--{option_names(field)[0]}); JSON is taken as well"


def _part_type(field: Field, key: str) -> str:
    schema = field.type.schema
    part = schema.get("items", schema).get("properties", {}).get(key, {})
    forms = [part, *part.get("anyOf", ())]
    return "integer" if any(form.get("type") == "integer" for form in forms) else ""


def _scalar(type_name: str, text: str) -> Any:
    number = text.removeprefix("-")
    if type_name.startswith("integer") and number.isascii() and number.isdigit():
        return int(text)
    if type_name.startswith("boolean") and text in ("true", "false"):
        return text == "true"
    return text


def body_of(fields: Sequence[Field], given: dict[str, Any], find_id: FindId) -> dict[str, Any]:
    """The fields that were given as options, taken out of `given`."""
    body = {}
    for field in fields:
        for name in _parameter_names(field):
            text = given.pop(name, None)
            if text is not None and text != []:
                body[field.name] = value_of(field, text, find_id)
    return body


def row_of(fields: Sequence[Field], row: dict[str, Any], find_id: FindId) -> dict[str, Any]:
    """A row of a table, by names of fields or options; empty cells say nothing."""
    by_name = {
        name: field for field in fields for name in (field.alias, *option_names(field), field.name)
    }
    body = {}
    for title, value in row.items():
        field = by_name.get(title) or by_name.get(title.replace("_", "-"))
        if field is None:
            raise typer.BadParameter(f"'{title}' is no field: {', '.join(f.name for f in fields)}")
        if not isinstance(value, str):
            body[field.name] = value
        elif value != "":
            texts = value.split(";") if is_list(field) else value
            body[field.name] = value_of(field, texts, find_id)
    return body


def kind_fields(kind: str, *, creating: bool) -> list[Field]:
    """The fields that people may give, of those that leave a choice."""
    fields = resources()[kind].fields
    return [f for f in fields if (f.post if creating else f.put) and not is_inert(f)]
