# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking whether somebody is a ComfyUI, and no longer wanting to know."""

from __future__ import annotations

import socket
import threading

import pytest

from second_unit.addon.commands.desk import Desk
from second_unit.addon.errors import ServiceError
from second_unit.addon.generation.services.comfyui.probe import Probe


def test_closing_ends_a_question_that_nobody_answers() -> None:
    """A service that takes the connection and then says nothing: disabling must not wait for it."""
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        probe, answers = Probe(f"http://127.0.0.1:{silent.getsockname()[1]}"), list[str]()

        def question() -> tuple[str, str, bool]:
            with pytest.raises(ServiceError) as found:
                probe.ask()
            answers.append(found.value.what)
            return "", "", True

        desk = Desk()
        desk.ask(question, probe.stop)
        silent.settimeout(20)
        client, _ = silent.accept()
        with client:
            client.settimeout(20)
            assert client.recv(64).startswith(b"GET /api/system_stats")
            desk.close()
            assert set(threading.enumerate()) == before
            assert len(answers) == 1


def test_a_question_stopped_before_it_was_asked_ends_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        probe = Probe(f"http://127.0.0.1:{silent.getsockname()[1]}")
        probe.stop()
        with pytest.raises(ServiceError):
            probe.ask()
