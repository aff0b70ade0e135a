# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing leaves this machine unseen. No traffic happens here, and no name is resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConsentNeeded, UsageError
from ..services.address import parse_address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ...shot.job import Submission


def host_of(url: str) -> str:
    """The host a consent is about, as ``project.toml`` lists it. Raises `UsageError` for what is no plain address."""
    return parse_address(url).host


def is_local(url: str) -> bool:
    """Whether ``url`` is on this machine; one that no address can be read from is not."""
    try:
        return parse_address(url).is_loopback
    except UsageError:
        return False


def is_allowed(url: str, allowed_hosts: Collection[str]) -> bool:
    """Loopback is free; any other host must be one the project lists."""
    address = parse_address(url)
    return address.is_loopback or address.host in {host.lower() for host in allowed_hosts}


def check(
    url: str, allowed_hosts: Collection[str], submissions: Iterable[Submission], *, allow: bool = False
) -> str | None:
    """Raise `ConsentNeeded` unless the user said that bytes may go to ``url``.

    Returns the host to be recorded with ``shot.project.allow_host`` when ``allow`` is what opened the way, else None.
    """
    if is_allowed(url, allowed_hosts):
        return None
    if allow:
        return host_of(url)
    raise ConsentNeeded(
        f"{leaving(submissions)} would leave this machine for {host_of(url)}.",
        f"Add --allow-host to let this project send to {host_of(url)}.",
    )


def leaving(submissions: Iterable[Submission]) -> str:
    """What leaves, for people: ``2 files (3.4 MB) and 2 texts``. A file sent twice counts twice."""
    parcels = [parcel for submission in submissions for parcel in submission.parcels]
    files = [file for parcel in parcels for file in parcel.files]
    texts = {text.text for parcel in parcels for text in parcel.texts if text.text}
    return f"{_count(len(files), 'file')} ({_size(sum(f.size for f in files))}) and {_count(len(texts), 'text')}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e3:.1f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"
