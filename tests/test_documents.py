"""Documents name only what exists."""

from __future__ import annotations

import argparse
import re
from urllib.parse import urlsplit

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandParser

from tests.documents import DOCUMENTS, ROOT, commands

LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMANDS = sorted(set(commands()))


def parser_of(name: str) -> CommandParser:
    known = get_commands()
    assert name in known, f"manage.py has no command {name}"
    application = known[name]
    command = (
        load_command_class(application, name)
        if isinstance(application, str)
        else application
    )
    return command.create_parser("manage.py", name)


@pytest.mark.parametrize(("document", "line"), COMMANDS, ids=lambda text: text[:40])
def test_a_command_of_a_document_exists_with_its_options(
    document: str, line: str
) -> None:
    for name, rest in re.findall(r"manage\.py ([a-z_]+)([^|;&>]*)", line):
        given = re.findall(r"(--[a-z-]+)", rest)
        options = {
            text
            for action in parser_of(name)._actions
            if not isinstance(action, argparse._HelpAction)
            for text in action.option_strings
        }
        assert set(given) <= options, f"{document}: {line}"
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z]+)", line):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{document}: {line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_to_is_there(path) -> None:
    for target in LINK.findall(path.read_text()):
        address = urlsplit(target)
        if not address.scheme and address.path:
            assert (path.parent / address.path).exists(), f"{path.name}: {target}"
