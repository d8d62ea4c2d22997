#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Man pages and completion, from the tables that the programs themselves use.

make_pages.py HVSCOPE SCRIPTS OUTPUT: fills the templates beside this file. Commands,
options, JSON and notes are what `HVSCOPE --help` prints, keys are keys.def's,
GDB's commands and functions are the docstrings of gdb-scripts/hvscope, which is
installed in SCRIPTS.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEYS = HERE.parent / "view/keys.def"
SCRIPTS = HERE.parents[1] / "gdb-scripts/hvscope"
TEMPLATES = {"hvscope.1.in": "hvscope.1", "hvscope-gdb.7.in": "hvscope-gdb.7",
             "hvscope.bash.in": "hvscope.bash"}


def roff(text: str) -> str:
    """Text that roff prints as it stands."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def items(rows: list[tuple[str, str]]) -> str:
    """A list of terms with what they mean."""
    return "\n".join(f".TP\n.B {roff(term)}\n{roff(' '.join(text.split()))}"
                     for term, text in rows)


def verbatim(text: str) -> str:
    """Lines as they are."""
    return f".nf\n{roff(text.strip(chr(10)))}\n.fi"


def rows_of(paragraph: str) -> list[tuple[str, str]]:
    """The rows of one table of --help: a term, two blanks or a new line, what it means."""
    rows: list[tuple[str, str]] = []
    for line in paragraph.splitlines():
        new = re.match(r"  (\S.*?)(?:  +(.*))?$", line)
        if new and not line.startswith("    "):
            rows.append((new[1], new[2] or ""))
        else:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {line.strip()}")
    return rows


class Help:
    """What `hvscope --help` says, in its parts."""

    def __init__(self, text: str) -> None:
        paragraphs = text.strip("\n").split("\n\n")
        tables = [p for p in paragraphs if p.startswith("  ")]
        self.commands, self.options = rows_of(tables[0]), rows_of(tables[1])
        self.json = next(p for p in paragraphs if p.startswith("JSON"))
        self.notes = [p for p in paragraphs[1:]
                      if p not in (*tables, self.json) and not p.startswith("usage:")]


def keys(text: str) -> list[tuple[str, str]]:
    """The keys that the help shows, with what they do."""
    found = re.findall(r'^KEY\(\w+, +"([^"]+)", +"[^"]*", +"([^"]*)"', text, re.M)
    return [(name, does) for name, does in found if does]


def documented() -> Iterator[tuple[str, str]]:
    """Name and docstring of each command and function of the GDB scripts."""
    for path in sorted(SCRIPTS.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef):
                continue
            names = [s.value.value for s in node.body if isinstance(s, ast.Assign)
                     and isinstance(s.targets[0], ast.Name) and s.targets[0].id == "name"
                     and isinstance(s.value, ast.Constant)]
            if names and names[0]:
                yield names[0], ast.get_docstring(node, clean=False) or ""


def gdb_section(name: str, doc: str) -> str:
    """One command or function: its docstring, as `help` prints it."""
    first, _, rest = doc.partition("\n")
    return f".SS {roff(name)}\n{roff(first)}\n.PP\n{verbatim(rest)}"


def values(hvscope: str, scripts: str) -> dict[str, str]:
    """What the templates name between two @."""
    text = subprocess.run([hvscope, "--help"], capture_output=True, text=True, check=True).stdout
    parts = Help(text)
    gdb = dict(documented())
    commands = sorted(name for name in gdb if "-" in name)
    functions = sorted(name for name in gdb if "-" not in name)
    return {
        "COMMANDS": items(parts.commands),
        "OPTIONS": items(parts.options),
        "KEYS": items(keys(KEYS.read_text(encoding="utf-8"))),
        "JSON": verbatim(parts.json),
        "NOTES": "\n.PP\n".join(verbatim(note) for note in parts.notes),
        "GDB_SCRIPTS": scripts,
        "GDB_COMMANDS": "\n".join(gdb_section(name, gdb[name]) for name in commands),
        "GDB_FUNCTIONS": "\n".join(gdb_section(f"${name}", gdb[name]) for name in functions),
        "COMMAND_WORDS": " ".join(term.split()[0] for term, _ in parts.commands),
        "OPTION_WORDS": " ".join(term.split()[0] for term, _ in parts.options),
    }


def main() -> int:
    hvscope, scripts, output = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    filled = values(hvscope, scripts)
    output.mkdir(parents=True, exist_ok=True)
    for template, name in TEMPLATES.items():
        text = (HERE / template).read_text(encoding="utf-8")
        text = re.sub(r"@([A-Z_]+)@", lambda m: filled[m[1]], text)
        (output / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
