"""Holds every public item to what is promised of it: each check beside this file looks at one thing.

Run by tests/run, from the project's folder. It needs the rustdoc of the stable toolchain and nothing else.
"""

import sys

import channels_names
import examples
import rustdoc
import stability


def main():
    description = rustdoc.description()
    checks = (stability, examples, channels_names)
    found = [f"{check.__name__}: {problem}" for check in checks for problem in check.problems(description)]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


sys.exit(main())
