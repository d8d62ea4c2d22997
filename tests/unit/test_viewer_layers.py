# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer's folders keep to what is theirs."""

import re
import subprocess

import pytest
from conftest import BUILD, ROOT

VIEWER = ROOT / "viewer"
# Of the C library, what a model needs: memory, text, order. No file, no time, no terminal.
PURE = set("""calloc malloc realloc free memcpy memmove memset memcmp qsort bsearch strlen strcmp
    strncmp strchr strrchr strstr strspn strcspn strdup strtoull strtoul strtol strtod snprintf
    vsnprintf sprintf __errno_location strsep strcpy strncpy __isoc99_sscanf memchr strnlen
    __stack_chk_fail _GLOBAL_OFFSET_TABLE_ __ctype_b_loc __udivti3 __divti3""".split())
CURSES = {"view/screen.c", "view/paint.c"}
CLOCKS = re.compile(r"\b(time|clock_gettime|gettimeofday|localtime|strftime)\b")


def undefined(folder: str, name: str = "*") -> set[str]:
    """What the objects of a folder need from elsewhere."""
    objects = sorted((BUILD / "viewer" / folder).glob(f"{name}.o"))
    assert objects
    out = subprocess.run(["nm", "-u", *objects], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"^ +U (\S+)", out, re.M))


def defined(folder: str) -> set[str]:
    """What the objects of a folder have to give."""
    objects = sorted((BUILD / "viewer" / folder).glob("*.o"))
    out = subprocess.run(["nm", "--defined-only", "-g", *objects], check=True,
                         capture_output=True, text=True).stdout
    return set(re.findall(r"^\S+ [TDBRC] (\S+)", out, re.M))


def test_curses() -> None:
    """Only the terminal's two files include curses or terminfo."""
    users = {str(path.relative_to(VIEWER)) for path in VIEWER.rglob("*.[ch]")
             if re.search(r"#include <(n?curses|term)\.h>", path.read_text())}
    assert users == CURSES


def test_model_does_no_io() -> None:
    """A model reads guest memory through the source's one function, and does nothing else."""
    outside = undefined("model") - defined("model") - PURE
    allowed = {name for name in outside if name.startswith(("source_", "failure_", "bbm_"))} | {
        "page_add", "page_find"}
    assert outside <= allowed, outside - allowed
    files = {"source_open", "source_close", "source_health"}
    assert not outside & files


@pytest.mark.parametrize("folder, above", [("source", ("model", "view", "command")),
                                           ("model", ("view", "command"))])
def test_nothing_reaches_up(folder: str, above: tuple[str, ...]) -> None:
    """Data flows one way: source, model, view and command."""
    for path in (VIEWER / folder).glob("*.[ch]"):
        assert not re.search(rf'#include "({"|".join(above)})/', path.read_text()), path


def test_drawing_is_const() -> None:
    """What draws takes data that it cannot change, and asks no clock."""
    for path in (VIEWER / "view").glob("*.h"):
        for call in re.findall(r"\w+\([^;{]*struct canvas \*c\b[^;{]*\)", path.read_text()):
            assert not re.search(r"(?<!const )struct (frame|ui|snapshot|marks) \*", call), call
    for path in (VIEWER / "view").glob("*.c"):
        text = path.read_text()
        if "canvas_" in text and path.name not in ("view.c", "once.c"):
            assert not CLOCKS.search(re.sub(r'/\*.*?\*/|"[^"]*"', "", text, flags=re.S)), path
            assert "view/clock.h" not in text, path
