"""What SQLite speaks, said to PostgreSQL.

Stores write one SQL: plain statements with `?`, and the few things of SQLite's own that are
listed here. Text is compared byte by byte in both (the databases have the collation "C").
"""

import re
from functools import lru_cache

# Functions that every PostgreSQL database of ours has: a field of a JSON document as text that
# equals (`alcor_field`) or sorts (`alcor_order`) as SQLite's json_extract does.
FUNCTIONS = (
    "CREATE OR REPLACE FUNCTION alcor_field(doc text, field text) RETURNS text "
    "LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT CASE v WHEN 'true' THEN '1' "
    "WHEN 'false' THEN '0' ELSE v END FROM (SELECT doc::json ->> field AS v) AS s $$",
    "CREATE OR REPLACE FUNCTION alcor_order(doc text, field text) RETURNS text "
    "LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(CASE "
    "json_typeof(doc::json -> field) WHEN 'number' THEN lpad(doc::json ->> field, 20, '0') "
    "ELSE alcor_field(doc, field) END, '') $$",
)

_FIELD = r"json_extract\((?P<doc>[\w.]+), '\$\.\"?(?P<field>[\w:.-]+?)\"?'\)"
_QUERIES = (
    (re.compile(r"%"), "%%"),
    (re.compile(r"\?"), "%s"),
    (re.compile(rf"ifnull\({_FIELD}, ''\)"), r"alcor_order(\g<doc>, '\g<field>')"),
    (re.compile(rf"CAST\({_FIELD} AS TEXT\)"), r"alcor_field(\g<doc>, '\g<field>')"),
    (re.compile(_FIELD), r"alcor_field(\g<doc>, '\g<field>')"),
    (
        re.compile(r"json_each\(([\w.]+), '\$\.(\w+)'\)"),
        r"json_array_elements_text(\1::json -> '\2') AS json_each(value)",
    ),
    (re.compile(r"json_each\(%s\)"), "json_array_elements_text(%s::json) AS json_each(value)"),
    (re.compile(r"CAST\(([\w.]+) AS BLOB\)"), r"convert_to(\1, 'UTF8')"),
    (re.compile(r"\bifnull\("), "coalesce("),
    (re.compile(r"\binstr\("), "strpos("),
    (re.compile(r"CROSS JOIN (\w+) ON"), r"JOIN \1 ON"),
    (re.compile(r"^INSERT OR IGNORE (.*)$", re.DOTALL), r"INSERT \1 ON CONFLICT DO NOTHING"),
)
_SCHEMAS = (
    (re.compile(r"\s*\bWITHOUT ROWID\b"), ""),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (
        re.compile(r"^CREATE TRIGGER (\w+) (.* WHEN \(.*\)) BEGIN (.*) END$"),
        r"CREATE FUNCTION \1() RETURNS trigger LANGUAGE plpgsql AS "
        r"$$ BEGIN \3 RETURN NULL; END $$; CREATE TRIGGER \1 \2 EXECUTE FUNCTION \1()",
    ),
)


@lru_cache(maxsize=4_096)
def query(statement: str) -> str:
    """A statement on rows."""
    return _rewritten(statement, _QUERIES)


def schema(statement: str, *, parameters: bool) -> str:
    """A statement of a migration; without parameters it has no placeholders."""
    return _rewritten(statement, (*_QUERIES[0 if parameters else 2 :], *_SCHEMAS))


def _rewritten(statement: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    for pattern, replacement in rules:
        statement = pattern.sub(replacement, statement)
    return statement
