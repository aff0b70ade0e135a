# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of a service, read so strictly that two parsers cannot disagree about the host.

What decides whether bytes may leave must be what the bytes are sent to: user names, backslashes, spaces and other
characters with which one parser sees another host than the next are refused. No name is ever resolved here.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ...errors import UsageError

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/[A-Za-z0-9._~-]+)*)/?"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Scheme, lower-case host (IPv6 without brackets), port and path prefix of a service."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_loopback(self) -> bool:
        """Whether nothing sent there leaves this machine: 127.0.0.0/8, ::1 and localhost."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """Canonical text, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def parse_address(url: str) -> Address:
    """Read ``http://host:8188``. Raises `UsageError` for anything that is not plainly an address."""
    found = _ADDRESS.fullmatch(url)
    if found is None or ".." in url:
        raise UsageError(
            "That is no address of a service.",
            "Write it as http://host:port, without a user name or password.",
        )
    host = found["host"].strip("[]").lower()
    port = int(found["port"] or (443 if found["scheme"] == "https" else 80))
    if not 0 < port < 65536 or (found["host"].startswith("[") and not _is_ip_v6(host)):
        raise UsageError(f"'{url}' is no address of a service.", "Write it as http://host:port.")
    return Address(found["scheme"], host, port, found["path"])


def _is_ip_v6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True
