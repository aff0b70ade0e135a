# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what each tier's pytest run came to, from the JUnit file `<folder>/<tier>.xml`; fail if any did."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET


def tier(report: Path) -> tuple[str, bool]:
    """Return one line about a tier, and whether it is all right."""
    if not report.is_file():
        return f"{report.stem:10} did not run", False
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - pytest wrote it a moment ago
    if suite is None:
        return f"{report.stem:10} left an empty report", False
    count = {name: int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - failed - count["skipped"]
    return f"{report.stem:10} {passed} passed, {failed} failed, {count['skipped']} skipped", failed == 0


def main(folder: Path, tiers: list[str]) -> int:
    """Print the table; return the exit code."""
    results = [tier(folder / f"{name}.xml") for name in tiers]
    for line, _ in results:
        print(line)
    return 0 if all(fine for _, fine in results) else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
