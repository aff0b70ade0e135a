# SPDX-License-Identifier: GPL-3.0-or-later
"""Cures for people at the panels. Errors name commands and options; an artist has buttons and preferences.

Errors travel as text (job states, events, the words of child processes), so this is a table of phrases.
"""

from __future__ import annotations

import re

_ELSEWHERE = "save the scene in another folder"
_TABLE = (
    (r"'second-unit generate' first, or 'second-unit run' for the whole loop", "'second-unit run' first"),
    (r"'second-unit condition' without --passes and generate again", "'second-unit run' again"),
    (r", circle another take with 'second-unit takes', or generate a new one with --seed", " from a backup"),
    (r"Add --allow-host to let this project send to ", "Press Shoot All Shots, and agree to send to "),
    (r"Add --allow-host to let this project send there, .*", "Press Shoot All Shots, and agree to it."),
    (r", choose another folder with --project, or fewer shots with --shot", f", or {_ELSEWHERE}"),
    (r", or comp fewer shots at a time with --shot", f", or {_ELSEWHERE}"),
    (r"Choose another quality, or give the size with --size", "Choose another quality in project.toml"),
    (r"choose another folder with --project, then run the command again", f"{_ELSEWHERE}, then try again"),
    (r"choose another folder with --project", _ELSEWHERE),
    (r"Choose (?:another folder|a folder on another drive) with --project", "Save the scene in another folder"),
    (r"(?:Choose the right one|Give its folder) with --project(?: DIR)?", "Press Shoot All Shots"),
    (r"choose another address with --service", "choose another address in the preferences"),
    (r"Start ComfyUI with a larger --max-upload-size", "Let ComfyUI accept larger uploads"),
    (r"Use Blender (.+) or newer with --blender PATH", r"Open it in Blender \1 or newer"),
    (r"Give one with --blender PATH or \$BLENDER, or run .*", "Start Blender from where it is installed."),
    (r"Correct --blender or \$BLENDER", "Start Blender from where it is installed"),
    (r"Use --scene with one of:", "Go to one of these scenes:"),
    (r"Leave out --original", "Press the button again"),
    (r"resume the job with 'second-unit jobs resume'", "press Shoot All Shots"),
    (r"List them with 'second-unit jobs list'", "Press Shoot All Shots"),
    (r"Run 'second-unit jobs show' for more", "Press Shoot All Shots to try again"),
    (r"\bRun 'second-unit timeline'", "Press Update the Edit"),
    (r"\brun 'second-unit timeline'", "press Update the Edit"),
    (r"\bRun 'second-unit (?:condition|generate|run|jobs resume)'", "Press Shoot All Shots"),
    (r"\brun 'second-unit (?:condition|generate|run|jobs resume)'", "press Shoot All Shots"),
)
_RULES = tuple((re.compile(phrase), cure) for phrase, cure in _TABLE)


def for_panels(text: str) -> str:
    """The same sentence with what can be done in the panels where a command line was named."""
    for phrase, cure in _RULES:
        text = phrase.sub(cure, text)
    return text
