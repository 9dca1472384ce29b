"""Holds the names of “Coming from Channels” to the documentation of the items: each item of the page's table says the name
that Channels has for it, and each Channels name that an item says stands in the table.
"""

import pathlib
import re

import rustdoc

PAGE = pathlib.Path("docs/coming-from-channels.md")
#: `Channels: `a`, `b``, `Channels' name: `a``, `channels_redis' `a``.
SAID = re.compile(r"(?:Channels|channels_redis)'?(?: names?)?:? ((?:`[^`]+`(?:, )?)+)")


def table():
    """The rows of the section “Names”: what Channels says, and our path."""
    section = PAGE.read_text().split("## Names\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \| `([\w:]+)` \|$", section, re.MULTILINE)


def said(item):
    """The names that an item's documentation gives as Channels': of `Consumer.as_asgi()`, `as_asgi`."""
    docs = " ".join((item["docs"] or "").split())
    spans = [span for found in SAID.findall(docs) for span in re.findall(r"`([^`]+)`", found)]
    return {span.split("(")[0].split(".")[-1] for span in spans if re.match(r"\w", span)}


def problems(description):
    items = {}
    for path, item in rustdoc.Crate(description).paths():
        items.setdefault(path, set()).update(said(item))
    rows = table()
    if not rows:
        yield f"{PAGE} has no table of names"
    for name, path in rows:
        if path not in items:
            yield f"{PAGE}: there is no public {path}"
        elif name not in items[path]:
            yield f"{path} does not say `{name}`, as {PAGE} does"
    for path, names in items.items():
        for name in sorted(names - {name for name, _ in rows}):
            yield f"{path} says `{name}`, which {PAGE} does not"
