# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be refused after minutes is refused before the first frame."""

from __future__ import annotations

from typing import Any

import pytest

from .test_cli import FOREIGN, Cli, assert_is_one_sentence_and_one_fix


@pytest.mark.parametrize(("service", "code"), [(FOREIGN, 1), ("nope", 2), ("ftp://127.0.0.1", 2)])
def test_the_loop_asks_before_it_draws(service: str, code: int, cli: Cli, film: Any, host: Any) -> None:
    before = film.files()
    heard = cli("run", film.blend, "--service", service)
    assert (heard.code, host.tasks, film.files()) == (code, [], before)
    assert_is_one_sentence_and_one_fix(heard.err)


@pytest.mark.parametrize("seed", ["-1", "9223372036854775808", "x"])
def test_a_seed_no_sampler_takes_is_refused(seed: str, cli: Cli, film: Any) -> None:
    heard = cli("generate", film.blend, f"--seed={seed}")
    assert heard.code == 2
    assert_is_one_sentence_and_one_fix(heard.err)


def test_no_pass_at_all_is_refused(cli: Cli, film: Any) -> None:
    heard = cli("condition", film.blend, "--passes", "")
    assert heard.code == 2
    assert_is_one_sentence_and_one_fix(heard.err)
