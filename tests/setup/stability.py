"""Holds docs/stability.md to the code: the crates that public items name, the oldest Rust that all of them take, what may
grow and what is closed, and a word on cancelling at every public async function.
"""

import json
import pathlib
import re
import subprocess

import rustdoc

PAGE = pathlib.Path("docs/stability.md")
STANDARD = {"std", "core", "alloc", "proc_macro"}


def named(node):
    """The ids of everything that a piece of the description refers to."""
    if isinstance(node, dict):
        if "path" in node and "id" in node and isinstance(node["id"], int):
            yield node["id"]
        for value in node.values():
            yield from named(value)
    elif isinstance(node, list):
        for value in node:
            yield from named(value)


def is_own(item):
    """Blanket implementations of other crates' traits are theirs, not Solent's promise."""
    implementation = item["inner"].get("impl")
    return not implementation or not (implementation["blanket_impl"] or implementation["is_synthetic"])


def public_crates(doc):
    """The crates whose types and traits stand in public signatures, each with an example."""
    crates = {}
    for item in doc["index"].values():
        if item["crate_id"] != 0 or not is_own(item):
            continue
        for name in named(item["inner"]):
            path = doc["paths"].get(str(name))
            if path and path["crate_id"] != 0:
                crate = doc["external_crates"][str(path["crate_id"])]["name"]
                crates.setdefault(crate, "::".join(path["path"]))
    return {name: example for name, example in crates.items() if name not in STANDARD}


def uncancelled(doc):
    """Public async functions of which neither they nor their type says what happens when their future is dropped."""
    index = doc["index"]
    says = lambda item: "cancel" in (item["docs"] or "").lower()
    types = {}
    for item in index.values():
        implementation = item["inner"].get("impl")
        if implementation and item["crate_id"] == 0 and not implementation["trait"]:
            of = index.get(str(implementation["for"].get("resolved_path", {}).get("id")))
            types.update((str(method), of) for method in implementation["items"])
    for name, item in index.items():
        function = item["inner"].get("function")
        if function and function["header"]["is_async"] and item["visibility"] == "public" and item["crate_id"] == 0:
            of = types.get(name)
            if not says(item) and not (of and says(of)):
                yield f"{of['name']}::{item['name']}" if of else item["name"]


def is_closed(item):
    """An enum that can be matched without a rest, or a struct that can be written out, since all is public and unmarked."""
    kind, inner = rustdoc.kind_of(item)
    if "non_exhaustive" in item["attrs"]:
        return False
    fields = inner["kind"] if kind == "struct" and inner["kind"] != "unit" else {}
    plain, in_order = fields.get("plain"), fields.get("tuple")
    return kind == "enum" or bool(plain and plain["fields"] and not plain["has_stripped_fields"]) or (
        bool(in_order) and None not in in_order
    )


def is_sealed(crate, name):
    """A trait above which one stands that nobody can reach, or that is sealed itself."""
    item = crate.index.get(name)
    if not item or item["crate_id"] != 0:
        return False
    bounds = [bound["trait_bound"]["trait"]["id"] for bound in item["inner"]["trait"]["bounds"] if "trait_bound" in bound]
    return name not in crate.reached or any(is_sealed(crate, bound) for bound in bounds)


def unlisted(crate):
    """Closed types and traits of which the page's section does not say that they are, and how."""
    section = PAGE.read_text().split("## What may grow\n")[1].split("\n## ")[0]
    names = lambda text: set(re.findall(r"`(?:\w+::)*(\w+)`", text))
    sealed = names(re.search(r"^- Traits that are sealed .*?\.", section, re.MULTILINE | re.DOTALL)[0])
    for name, path in crate.reached.items():
        item = crate.index[name]
        kind, _ = rustdoc.kind_of(item)
        if kind == "trait" and is_sealed(crate, name) != (item["name"] in sealed):
            yield f"{PAGE} and the code differ in whether {'::'.join(path)} is sealed"
        if item["name"] not in names(section) and (kind == "trait" or kind in ("struct", "enum") and is_closed(item)):
            yield f"{'::'.join(path)} is not marked non_exhaustive, or is a trait, and {PAGE} does not say how it may grow"


def listed():
    """The crates in the page's table."""
    return set(re.findall(r"^\| `([a-z0-9_-]+)` \|", PAGE.read_text(), re.MULTILINE))


def metadata():
    told = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], check=True, capture_output=True)
    return json.loads(told.stdout)["packages"]


def version(text):
    return tuple(int(part) for part in text.split(".")[:2])


def problems(description):
    for function in sorted(uncancelled(description)):
        yield f"{function} does not say what happens when its future is dropped"
    yield from unlisted(rustdoc.Crate(description))
    found = public_crates(description)
    for crate in sorted(set(found) - listed()):
        yield f"{found[crate]} stands in a public signature, and {PAGE} does not name {crate}"
    for crate in sorted(listed() - set(found)):
        yield f"{PAGE} names {crate}, which no public signature does"
    packages = metadata()
    own = next(package for package in packages if package["name"] == "solent")["rust_version"]
    if f"Rust {own}" not in PAGE.read_text():
        yield f"{PAGE} does not say that Rust {own} is the oldest, as Cargo.toml does"
    for package in packages:
        if package["rust_version"] and version(package["rust_version"]) > version(own):
            yield f"{package['name']} {package['version']} needs Rust {package['rust_version']}, not {own}"
