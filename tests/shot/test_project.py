# SPDX-License-Identifier: GPL-3.0-or-later
"""project.toml: defaults, what a person wrote stays, what is wrong is said."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from second_unit.addon.commands.context import PROJECT_TEMPLATE
from second_unit.addon.errors import DocumentError
from second_unit.addon.shot.profile import DEFAULT_PROFILE, load_profile
from second_unit.addon.shot.project import Project, Settings, allow_host, load_settings

WRITTEN = """\
# our film
schema = "second_unit.project/1"
flavour = "strawberry"   # nobody knows this key

[service]
name = "http://gpu.example.org:8188" # the big one
allowed_hosts = [
    "gpu.example.org", # asked the producer
]

[defaults]
quality = "final"
seed = 12

[shots.SH020]
prompt = "a fox – at night"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "film")


def write(project: Project, text: str) -> None:
    project.root.mkdir(parents=True)
    project.config.write_text(text, "utf-8")


def test_a_project_without_a_file_has_the_defaults_and_gets_no_file(project: Project) -> None:
    assert load_settings(project) == Settings()
    assert Settings().service == "rehearsal"
    assert Settings().allowed_hosts == ()
    assert load_profile(Settings().profile).quality(Settings().quality).handles == (0, 0)
    assert not project.root.exists()


def test_the_shipped_template_says_the_defaults(project: Project) -> None:
    write(project, PROJECT_TEMPLATE.read_text("utf-8"))
    settings = load_settings(project)
    assert settings.brief_for("SH010") == Settings().brief_for("SH010")
    assert (settings.service, settings.profile, settings.quality, settings.allowed_hosts) == (
        "rehearsal", DEFAULT_PROFILE, "draft", (),
    )  # fmt: skip


def test_what_a_person_wrote_is_read(project: Project) -> None:
    write(project, WRITTEN)
    settings = load_settings(project)
    assert settings.service == "http://gpu.example.org:8188"
    assert settings.allowed_hosts == ("gpu.example.org",)
    assert (settings.quality, settings.profile) == ("final", DEFAULT_PROFILE)
    assert settings.brief_for("SH020").prompt == "a fox – at night"
    assert settings.brief_for("SH020").seed == 12
    assert settings.brief_for("SH010").prompt == ""


def test_allowing_a_host_adds_one_word_and_changes_nothing_else(project: Project) -> None:
    write(project, WRITTEN)
    allow_host(project, "other.example.org")
    text = project.config.read_text("utf-8")
    assert load_settings(project).allowed_hosts == ("gpu.example.org", "other.example.org")
    comments = [line for line in WRITTEN.splitlines() if "#" in line and "allowed" not in line]
    assert all(line.split("#", 1)[1] in text for line in comments)
    before, after = tomllib.loads(WRITTEN), tomllib.loads(text)
    after["service"]["allowed_hosts"].remove("other.example.org")
    assert after == before


def test_allowing_a_known_host_again_leaves_the_file_alone(project: Project) -> None:
    write(project, WRITTEN)
    allow_host(project, "gpu.example.org")
    assert project.config.read_text("utf-8") == WRITTEN


@pytest.mark.parametrize(
    "text", ['schema = "second_unit.project/1"', 'schema = "second_unit.project/1"\n[shots.A]\nseed = 2\n']
)
def test_a_host_can_be_allowed_where_no_service_is_written(project: Project, text: str) -> None:
    write(project, text)
    allow_host(project, "gpu.example.org")
    assert load_settings(project).allowed_hosts == ("gpu.example.org",)
    assert project.config.read_text("utf-8").startswith(text.rstrip())


def test_a_host_can_be_allowed_in_a_project_without_a_file(project: Project) -> None:
    allow_host(project, "gpu.example.org")
    assert load_settings(project) == Settings(allowed_hosts=("gpu.example.org",), briefs={})


@pytest.mark.parametrize("text", ["schema = ", "[service\n", 'schema = "second_unit.project/1"\na = 1\na = 2\n'])
def test_broken_toml_is_named_with_its_place(project: Project, text: str) -> None:
    write(project, text)
    with pytest.raises(
        DocumentError, match=r"project\.toml' is not valid TOML \(.*(line \d|at end of document)"
    ) as caught:
        load_settings(project)
    assert "Correct that line" in caught.value.fix


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a = " + "{b=" * 20_000])
def test_toml_nested_without_end_is_a_sentence(project: Project, text: str) -> None:
    write(project, text)
    for read in (load_settings, lambda where: allow_host(where, "gpu.example.org")):
        with pytest.raises(DocumentError, match=r"project\.toml' is not valid TOML \(.*nested"):
            read(project)
    assert project.config.read_text(encoding="utf-8") == text


def test_a_newer_schema_is_refused(project: Project) -> None:
    write(project, 'schema = "second_unit.project/2"\n')
    with pytest.raises(DocumentError, match="newer Second Unit"):
        load_settings(project)


@pytest.mark.parametrize(
    "body",
    ["service = 3", "[service]\nname = 1", "[service]\nallowed_hosts = 'all'", "[defaults]\nseed = 'x'", "shots = []"],
)
def test_a_value_of_the_wrong_type_is_named(project: Project, body: str) -> None:
    write(project, f'schema = "second_unit.project/1"\n{body}\n')
    with pytest.raises(DocumentError, match=r"should be|was expected"):
        load_settings(project)


@pytest.mark.parametrize("shot", ["'a fox'", "{prompt = 3}"])
def test_a_brief_of_the_wrong_type_is_named(project: Project, shot: str) -> None:
    write(project, f'schema = "second_unit.project/1"\n[shots]\nSH010 = {shot}\n')
    with pytest.raises(DocumentError, match="SH010"):
        load_settings(project).brief_for("SH010")


def test_a_file_in_another_encoding_is_a_sentence(project: Project) -> None:
    project.root.mkdir()
    project.config.write_bytes('schema = "second_unit.project/1"\n[defaults]\nprompt = "süß"\n'.encode("latin-1"))
    with pytest.raises(DocumentError, match=r"project\.toml"):
        load_settings(project)


def test_a_number_of_thousands_of_digits_is_no_toml(project: Project) -> None:
    write(project, f'schema = "second_unit.project/1"\n[defaults]\nseed = {"9" * 5000}\n')
    with pytest.raises(DocumentError, match=r"is not valid TOML \(.*digits.*\)\."):
        load_settings(project)
