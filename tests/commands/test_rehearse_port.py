# SPDX-License-Identifier: GPL-3.0-or-later
"""A port that is none is said in a sentence."""

from __future__ import annotations

import socket
from typing import Any

import pytest


@pytest.mark.parametrize("port", ["99999", "-5", "65536"])
def test_a_number_that_is_no_port_is_a_usage_error(cli: Any, host: Any, port: str) -> None:
    del host
    heard = cli("rehearse", f"--port={port}")
    assert heard.code == 2
    assert f"{port} is no port." in heard.err
    assert "Traceback" not in heard.err


def test_a_port_somebody_has_is_a_usage_error(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from second_unit.addon.commands import rehearse

    monkeypatch.setattr(rehearse, "find_blender", lambda _: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        heard = cli("rehearse", f"--port={port}")
    assert heard.code == 2
    assert f"Port {port} is taken." in heard.err
