"""A user's browser without scripts: pages, their forms, their complaints, rows of their tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests

timeout_s = 120.0
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "wbr",
}


class WalkError(Exception):
    """What a user could not do; the message says what and why."""


@dataclass(slots=True)
class Form:
    """What a form would send as it is, and what its selects offer."""

    action: str
    values: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    offered: dict[str, dict[str, str]] = field(default_factory=dict)  # label by value

    def choice(self, name: str, label: str) -> str:
        """The value of the choice of a select whose label contains `label`."""
        for value, said in self.offered.get(name, {}).items():
            if label in said:
                return value
        raise WalkError(f"{self.action}: {name} offers {self.offered.get(name)}, not {label!r}")


@dataclass(slots=True)
class Page:
    """What was answered, as a user sees it."""

    url: str
    status: int
    text: str
    forms: list[Form]
    complaints: list[str]
    rows: dict[str, list[str]]  # texts of cells, by the row's id

    def form(self, name: str) -> Form:
        """The form with a field of this name."""
        for form in self.forms:
            if name in form.names:
                return form
        raise WalkError(f"{self.url}: no form with {name!r}: {self.text[:300]}")

    def says(self, *texts: str) -> None:
        """That all of these are on it."""
        plain = _plain(re.sub(r"<[^>]+>", " ", self.text))
        for text in texts:
            if text not in plain:
                raise WalkError(f"{self.url} doesn't say {text!r}")

    def row(self, text: str) -> tuple[str, list[str]]:
        """The id and the cells of the row that has a cell with this text."""
        for id_, cells in self.rows.items():
            if text in cells:
                return id_, cells
        raise WalkError(f"{self.url}: no row {text!r} in {list(self.rows.values())}")


class Browser:
    """A session of one user."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def get(self, path: str, **query: str) -> Page:
        """A page; `WalkError` if it is not 200 or shows an error."""
        answer = self._session.get(urljoin(self._url, path), params=query, timeout=timeout_s)
        return _checked(_page(answer))

    def submit(self, page: Page, form: Form, **fields: str | Sequence[str]) -> Page:
        """Send a form with these fields set to what is given; where that leads."""
        values: dict[str, Any] = dict(form.values)
        for name, value in fields.items():
            if name not in form.names:
                raise WalkError(f"{page.url}: no field {name!r}, but {sorted(form.names)}")
            for each in [value] if isinstance(value, str) else value:
                if name in form.offered and each not in form.offered[name]:
                    raise WalkError(f"{page.url}: {name} offers {form.offered[name]}, not {each}")
            values[name] = value
        return self.post(urljoin(page.url, form.action), values)

    def act(self, page: Page, action: str, id_: str) -> Page:
        """Press the button of a table's row; or mark the row, and press the table's own."""
        token = page.form("csrfmiddlewaretoken").values["csrfmiddlewaretoken"]
        for button in (rf"[\w ]+__{action}__{re.escape(id_)}", rf"[\w ]+__{action}"):
            if found := re.search(rf'value="({button})"', page.text):
                fields = {"csrfmiddlewaretoken": token, "action": found[1], "object_ids": id_}
                return self.post(page.url, fields)
        raise WalkError(f"{page.url}: nothing to press for {action} of {id_}")

    def post(self, url: str, values: Mapping[str, Any]) -> Page:
        """Send values; where that leads."""
        headers = {"Referer": url}
        answer = self._session.post(url, data=values, headers=headers, timeout=timeout_s)
        return _checked(_page(answer))

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """What a script of the page would ask."""
        headers = {
            "X-Requested-With": "XMLHttpRequest",
            "X-CSRFToken": self._session.cookies.get("csrftoken", ""),
        }
        url = urljoin(self._url, path)
        answer = self._session.request(method, url, json=body, headers=headers, timeout=timeout_s)
        if answer.status_code >= 400:
            raise WalkError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.text else None


def _page(answer: requests.Response) -> Page:
    reader = _Reader()
    reader.feed(answer.text)
    page = Page(answer.url, answer.status_code, answer.text, reader.forms, [], reader.rows)
    page.complaints = [_plain(text) for text in reader.complaints if _plain(text)]
    return page


def _checked(page: Page) -> Page:
    if page.status != 200 or page.complaints:
        raise WalkError(f"{page.url}: {page.status} {page.complaints}")
    return page


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


class _Reader(HTMLParser):
    """Collects forms, complaints and rows as the page is read."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.complaints: list[str] = []
        self.rows: dict[str, list[str]] = {}
        self._open: list[str] = []
        self._form: Form | None = None
        self._select = self._option = self._area = ""
        self._complaining: int | None = None
        self._row: list[str] | None = None
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._open.append(tag)
        classes = has.get("class", "").split()
        if "alert-danger" in classes and self._complaining is None and "noscript" not in self._open:
            self._complaining = len(self._open)
            self.complaints.append("")
        if tag == "form":
            self._form = Form(has.get("action", ""))
            self.forms.append(self._form)
        elif tag == "tr":
            self._row = self.rows.setdefault(has.get("data-object-id") or has.get("id", ""), [])
        elif tag in ("td", "th") and self._row is not None:
            self._cell = True
            self._row.append("")
        elif self._form is not None:
            self._control(self._form, tag, has)

    def _control(self, form: Form, tag: str, has: dict[str, str]) -> None:
        name = has.get("name", "")
        if tag == "option" and self._select:
            self._option = has.get("value", "")
            form.offered[self._select].setdefault(self._option, "")
            if "selected" in has:
                form.values.setdefault(self._select, []).append(self._option)
        if not name:
            return
        if tag == "select":
            form.names.add(name)
            form.offered[name] = {}
            self._select = name
        elif tag == "textarea":
            form.names.add(name)
            form.values[name] = [""]
            self._area = name
        elif tag == "input":
            form.names.add(name)
            kind = has.get("type", "text")
            chosen = kind not in ("checkbox", "radio") or "checked" in has
            if kind == "radio":
                form.offered.setdefault(name, {})[has.get("value", "")] = has.get("value", "")
            if chosen and kind != "submit":
                value = has.get("value", "on" if kind in ("checkbox", "radio") else "")
                form.values.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open and self._open.pop() != tag:
            pass
        if self._complaining is not None and len(self._open) < self._complaining:
            self._complaining = None
        if tag == "form":
            self._form = None
        elif tag == "select" and self._form is not None:
            offered = self._form.offered.get(self._select, {})
            if offered and self._select not in self._form.values:
                self._form.values[self._select] = [next(iter(offered))]
            self._select = ""
        elif tag == "option":
            self._option = ""
        elif tag == "textarea":
            self._area = ""
        elif tag == "tr":
            self._row = None
        elif tag in ("td", "th"):
            self._cell = False
            if self._row:
                self._row[-1] = _plain(self._row[-1])

    def handle_data(self, data: str) -> None:
        if self._complaining is not None:
            self.complaints[-1] += data
        if self._cell and self._row:
            self._row[-1] += data
        if self._form is not None and self._area:
            held = self._form.values[self._area]
            held[0] = (held[0] + data).removeprefix("\n")
        if self._form is not None and self._select and data.strip():
            offered = self._form.offered[self._select]
            if self._option in offered:
                offered[self._option] += data.strip()
