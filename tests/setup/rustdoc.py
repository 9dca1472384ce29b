"""The crate as rustdoc describes it, for the scripts beside this file."""

import json
import os
import pathlib
import subprocess


def description():
    """Every public item, by the rustdoc of the stable toolchain."""
    rustdoc = pathlib.Path("tests/setup/rustdoc-json").resolve()
    subprocess.run(
        ["cargo", "rustdoc", "--quiet", "--lib"], env={**os.environ, "RUSTDOC": str(rustdoc)}, check=True
    )
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return json.loads((target / "doc/solent.json").read_text())


def kind_of(item):
    """What an item is, and what its kind knows of it."""
    (kind, inner), = item["inner"].items()
    return kind, inner


class Crate:
    """The crate's own items, and by which path programs reach them."""

    def __init__(self, description):
        self.index = {int(name): item for name, item in description["index"].items()}
        self.reached = {}
        self._reach(description["root"], [])

    def _reach(self, name, path):
        item = self.index.get(name)
        if not item or item["crate_id"] != 0:
            return
        kind, inner = kind_of(item)
        if kind == "use":
            self._reach_use(inner, path)
        elif name not in self.reached:
            path = [] if kind == "module" and inner["is_crate"] else [*path, item["name"]]
            self.reached[name] = path
            for child in inner["items"] if kind == "module" else []:
                self._reach(child, path)

    def _reach_use(self, use, path):
        target = self.index.get(use["id"])
        if use["is_glob"] and target:
            for child in target["inner"]["module"]["items"]:
                self._reach(child, path)
        else:
            self._reach(use["id"], path)

    def implementations(self, item):
        """A type's implementations that stand in the crate; those of no trait are its own."""
        _, inner = kind_of(item)
        found = [self.index[name]["inner"]["impl"] for name in inner.get("impls", []) if name in self.index]
        return [implementation for implementation in found if not implementation["blanket_impl"]]

    def members(self, item):
        """What is inside a type or trait: functions, constants, variants; nothing that a foreign trait brings."""
        kind, inner = kind_of(item)
        names = []
        if kind == "trait":
            names = inner["items"]
        elif kind in ("struct", "enum"):
            own = [implementation for implementation in self.implementations(item) if not implementation["trait"]]
            names = [name for implementation in own for name in implementation["items"]] + inner.get("variants", [])
        return [self.index[name] for name in names if name in self.index]

    def paths(self):
        """Every item and every member by its path."""
        for name, path in self.reached.items():
            yield "::".join(path), self.index[name]
            for member in self.members(self.index[name]):
                yield "::".join([*path, member["name"]]), member
