# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing leaves unseen."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from second_unit.addon.errors import ConsentNeeded, UsageError
from second_unit.addon.generation.jobs.consent import check, host_of, is_allowed
from second_unit.addon.generation.services.address import parse_address
from second_unit.addon.shot.job import Parcel, SentFile, SentText, Submission


@pytest.fixture(autouse=True)
def no_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise AssertionError("traffic")

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)


SENT = Submission(
    "gpu.example",
    (
        Parcel(0, (SentFile("control.guide", "a", "b", "c", 1_500_000),), (SentText("prompt", "a fox"),), {}),
        Parcel(1, (SentFile("control.guide", "a", "b", "c", 900_000),), (SentText("prompt", "a fox"),), {}),
    ),
)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8188", "http://127.8.9.10", "http://[::1]:8188", "http://localhost:1", "https://LOCALHOST"],
)
def test_loopback_is_free(url: str) -> None:
    assert check(url, (), [SENT]) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://gpu.example",
        "http://10.0.0.1:8188",
        "http://0.0.0.0:8188",
        "http://127.0.0.1.gpu.example",
        "http://localhost.gpu.example",
        "http://2130706433",
        "http://127.1",
        "http://[::ffff:10.0.0.1]:8188",
        "http://[fe80::1]",
    ],
)
def test_everything_else_needs_a_word(url: str) -> None:
    with pytest.raises(ConsentNeeded) as error:
        check(url, (), [SENT])
    assert "2 files (2.4 MB) and 1 text" in error.value.what
    assert host_of(url) in error.value.what
    assert "--allow-host" in error.value.fix
    assert check(url, (), [SENT], allow=True) == host_of(url)
    assert check(url, (host_of(url),), [SENT]) is None
    assert check(url, ("gpu2.example",), [SENT], allow=True) == host_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1@gpu.example",
        "http://me:secret@gpu.example",
        "http://127.0.0.1\\@gpu.example",
        "http://127.0.0.1#@gpu.example",
        "http://127.0.0.1?gpu.example",
        "http://127.0.0.1:8188 ",
        "http://127.0.0.1\t.gpu.example",
        "http://gpu.example:99999",
        "http://gpu.example:0",
        "http://[1.2.3.4]",
        "http://[::1",
        "file:///etc/passwd",
        "ftp://gpu.example",
        "gpu.example:8188",
        "http://",
        "http://gpu.example/../admin",
        "http://gpu\u3002example",
        "",
    ],
)
def test_an_address_two_parsers_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as error:
        check(url, (), [SENT], allow=True)
    assert "secret" not in str(error.value)


def test_case_and_the_order_of_hosts_do_not_matter() -> None:
    assert is_allowed("https://GPU.example:444/comfy/", ("other.example", "gpu.EXAMPLE"))


@given(st.text())
def test_whatever_is_accepted_reads_the_same_again(text: str) -> None:
    try:
        address = parse_address("http://" + text)
    except UsageError:
        return
    assert parse_address(address.url) == address
    assert address.host == address.host.lower()
