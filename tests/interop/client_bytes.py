"""Asks KX's own C library whether it accepts messages: hex, one a line, on standard input.

Prints `ok` or `bad` for each and exits with 1 if any is bad. Blank lines are skipped.
"""

from __future__ import annotations

import sys

import libe


def main() -> int:
    verdicts = [libe.is_valid(bytes.fromhex(line)) for line in sys.stdin if line.strip()]
    for verdict in verdicts:
        print("ok" if verdict else "bad")
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
