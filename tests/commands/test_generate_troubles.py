# SPDX-License-Identifier: GPL-3.0-or-later
"""What `generate` says when something is in the way, and what it does not do then."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from second_unit.addon.commands import generate
from second_unit.addon.commands.console import Console
from second_unit.addon.generation.jobs.store import JobStore
from second_unit.addon.shot.job import JobState


@pytest.mark.usefixtures("runners")
def test_a_job_with_a_damaged_state_is_named_and_not_ordered_again(film: Any, cli: Any) -> None:
    film.shoot("SH010")
    assert cli("generate", film.blend, "--shot", "SH010").code == 0
    (job,) = JobStore(film.project).list()
    (job.folder / "state.json").write_bytes(b"")
    before = film.files()
    heard = cli("generate", film.blend, "--shot", "SH010")
    assert heard.code == 1
    assert str(job.folder / "state.json") in heard.err
    assert "Traceback" not in heard.err
    assert film.files() == before
    listed = cli("jobs", "list", "--project", film.project.root, "--json")
    assert listed.code == 0
    assert str(job.folder / "state.json") in listed.err
    assert "No jobs yet" not in listed.err
    assert [record["kind"] for record in listed.records] == ["problem"]


@pytest.mark.usefixtures("runners")
def test_what_a_job_waits_for_is_a_line_where_no_bar_is_drawn(
    film: Any, open_film: Any, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.shoot("SH010")
    cli("generate", film.blend, "--shot", "SH010")
    store = JobStore(film.project)
    (job,) = store.list()
    note = "The service has not answered for 30 s, trying again."

    def wait_for(_store: Any, _uuids: Any, _keep: Any, report: Any) -> list[Any]:
        done = replace(job, state=replace(job.state, state=JobState.DONE, take="t001"))
        report(replace(job, state=replace(job.state, what=note)))
        report(done)
        return [done]

    monkeypatch.setattr(generate, "wait_for", wait_for)
    console = Console(out=io.StringIO(), err=io.StringIO())
    generate.follow(replace(open_film(), console=console), store, [job.uuid])
    assert f"SH010: {note}" in console.err.getvalue()
