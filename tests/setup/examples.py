"""Every public item is shown by an example that compiles.

An example is a doc test, a file of examples/, or Rust in the tutorial or the README; comments in them do not count. A type,
a trait or a free function is shown where its name stands (where several have one, behind its module's), a method where it
stands as `.name`, `::name` or `fn name`; a type also where a function that answers with it is called, since few programs write the name of what they are given.

Not asked for, by rule:
- errors (what implements `Error`): the text of the item says when they come;
- types without a public field, variant, function or method: the services of layers, and what stands for a closure. What
  makes them is shown;
- traits that only this crate implements (sealed), and those that whatever fits has by itself (a blanket implementation):
  nobody writes their names;
- what an implementation of another crate's trait brings along;
- methods that only read (`&self` alone, not async, with an answer): a name such as `capacity` says it all.
"""

import collections
import pathlib
import re

import rustdoc


def code_of(markdown):
    """The Rust blocks of a text that are compiled."""
    for tags, block in re.findall(r"^```([^\n`]*)\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL):
        if set(tags.replace(",", " ").split()) <= {"rust", "rs", "no_run", "should_panic"}:
            yield block


def examples(crate):
    """All code that shows something, without comments."""
    texts = [item["docs"] or "" for item in crate.index.values() if item["crate_id"] == 0]
    pages = [pathlib.Path("README.md"), *pathlib.Path("docs/tutorial").glob("*.md")]
    texts += [page.read_text() for page in pages]
    blocks = [block for text in texts for block in code_of(text)]
    blocks += [file.read_text() for file in pathlib.Path("examples").rglob("*.rs")]
    return "\n".join(re.sub(r"(^|\s)//.*", "", block) for block in blocks)


def is_bare(crate, item):
    """A type with nothing that a program could name."""
    kind, inner = rustdoc.kind_of(item)
    if kind != "struct" or crate.members(item):
        return False
    fields = inner["kind"] if inner["kind"] != "unit" else {}
    return not any(fields.get("tuple") or fields.get("plain", {}).get("fields", []))


def is_error(crate, item):
    traits = [implementation["trait"] for implementation in crate.implementations(item)]
    return any(trait and trait["path"].split("::")[-1] in ("Error", "StdError") for trait in traits)


def is_never_named(crate, trait):
    """Sealed, or had by everything that fits."""
    bounds = [bound["trait_bound"]["trait"]["id"] for bound in trait["bounds"] if "trait_bound" in bound]
    own = lambda name: crate.index.get(name, {"crate_id": 1})["crate_id"] == 0
    sealed = any(own(name) and name not in crate.reached for name in bounds)
    implementations = [crate.index[name]["inner"]["impl"] for name in trait["implementations"] if name in crate.index]
    return sealed or any("generic" in implementation["for"] for implementation in implementations)


def asked_for(crate):
    """What is to be shown: ids, paths, items, and whether they are methods."""
    for name, path in crate.reached.items():
        item = crate.index[name]
        kind, inner = rustdoc.kind_of(item)
        if kind not in ("struct", "enum", "trait", "function", "type_alias"):
            continue
        if kind == "trait" and is_never_named(crate, inner):
            continue
        if not is_error(crate, item) and not is_bare(crate, item):
            yield name, "::".join(path), item, False
        for member in crate.members(item):
            if "function" in member["inner"]:
                yield member["id"], "::".join([*path, member["name"]]), member, True


def only_reads(method):
    """`fn name(&self) -> Answer`."""
    signature, header = method["inner"]["function"]["sig"], method["inner"]["function"]["header"]
    if len(signature["inputs"]) != 1 or header["is_async"] or not signature["output"]:
        return False
    (name, kind), = signature["inputs"]
    return name == "self" and "borrowed_ref" in kind and not kind["borrowed_ref"]["is_mutable"]


def answered(node):
    """The ids of the types that a piece of an answer's type holds."""
    if isinstance(node, dict):
        if "resolved_path" in node:
            yield node["resolved_path"]["id"]
        for value in node.values():
            yield from answered(value)
    elif isinstance(node, list):
        for value in node:
            yield from answered(value)


def is_qualified(path, code):
    """Whether a name stands behind its module's: `module::Name`, `module::{…, Name, …}`."""
    module, name = path.split("::")[-2:]
    return re.search(rf"\b{module}::(?:{{[^}}]*)?\b{name}\b", code)


def unshown(crate):
    """Items that no example shows, with their files."""
    code = examples(crate)
    words = set(re.findall(r"\w+", code))
    called = set(re.findall(r"(?:\.|::|\bfn )(\w+)", code))
    items = list(asked_for(crate))
    shared = collections.Counter(item["name"] for _, _, item, is_method in items if not is_method)

    def is_shown(path, item, is_method):
        if is_method:
            return item["name"] in called
        return item["name"] in words and (shared[item["name"]] == 1 or is_qualified(path, code))

    given = {
        answer
        for _, path, item, is_method in items
        if "function" in item["inner"] and is_shown(path, item, is_method)
        for answer in answered(item["inner"]["function"]["sig"]["output"])
    }
    for name, path, item, is_method in items:
        if not is_shown(path, item, is_method) and name not in given and not (is_method and only_reads(item)):
            yield path, item["span"]["filename"]


def problems(description):
    for path, file in sorted(unshown(rustdoc.Crate(description))):
        yield f"{path} ({file}) is in no example that compiles"
