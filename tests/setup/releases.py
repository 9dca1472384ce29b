"""Holds deny.toml's list of crates without a release for two years to what Cargo's index says, in both directions.

    tests/setup/releases.py

Cargo keeps what the index says of each crate in Cargo.lock, with the time of every release; nobody else is asked.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

TWO_YEARS = datetime.timedelta(days=731)
LISTED = re.compile(r"^#   ([\w -]+): .+$", re.MULTILINE)
RELEASED = re.compile(rb'"pubtime": ?"([^"]+)"')


def crates() -> set[str]:
    command = ["cargo", "metadata", "--format-version", "1", "--all-features"]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {package["name"] for package in metadata["packages"] if package["source"]}


def entry(name: str) -> str:
    """Where the index has a crate (the Cargo book, "Index format")."""
    name = name.lower()
    if len(name) < 3:
        return f"{len(name)}/{name}"
    if len(name) == 3:
        return f"3/{name[0]}/{name}"
    return f"{name[:2]}/{name[2:4]}/{name}"


def last_release(name: str) -> datetime.datetime:
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    known = home.glob(f"registry/index/index.crates.io-*/.cache/{entry(name)}")
    times = [time for path in known for time in RELEASED.findall(path.read_bytes())]
    if not times:
        sys.exit(f"tests/setup/releases.py: Cargo knows no release of {name}; `cargo fetch` asks the index")
    return datetime.datetime.fromisoformat(max(times).decode())


def main() -> None:
    since = datetime.datetime.now(datetime.timezone.utc) - TWO_YEARS
    silent = {name for name in crates() if last_release(name) < since}
    listed = {name for names in LISTED.findall(pathlib.Path("deny.toml").read_text()) for name in names.split()}
    for name in sorted(silent - listed):
        print(f"{name} has had no release since {last_release(name):%Y-%m-%d}; deny.toml does not say why it stays")
    for name in sorted(listed - silent):
        print(f"{name} is in deny.toml and has had a release, or is no dependency any more")
    sys.exit(silent != listed)


main()
