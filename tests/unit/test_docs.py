# SPDX-License-Identifier: GPL-2.0-or-later
"""What README and man pages name exists, and what exists is named there."""

import re
import subprocess

import make_pages
import pytest
from conftest import BUILD, ROOT
from hvscope import profile
from hvscope.beacon import ENGINES

README = (ROOT / "README.md").read_text(encoding="utf-8")
HVSCOPE = str(BUILD / "hvscope")
HELP = subprocess.run([HVSCOPE, "--help"], capture_output=True, text=True, check=True).stdout
NOT_COMMANDS = {"hv-xen", "hv-bbm", "hv-clock"}  # files


def words(pattern: str, text: str) -> set[str]:
    """All that matches."""
    return set(re.findall(pattern, text))


def test_make_targets():
    """Those of the README exist, and all that have a text are in `make help`."""
    files = "\n".join(path.read_text(encoding="utf-8")
                      for path in (ROOT / "Makefile", *ROOT.rglob("*.mk")))
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True,
                            check=True).stdout
    assert words(r"(?m)^([a-z0-9-]+):.* ## ", files) == words(r"(?m)^  ([a-z0-9-]+) ", listed)
    targets = words(r"(?m)^([a-z0-9-]+):", files)
    for text in re.findall(r"`make ([a-z0-9-]+)|^    make ([a-z0-9-]+)", README, re.M):
        assert "".join(text) in targets, text


@pytest.fixture(scope="module", name="pages")
def fixture_pages(tmp_path_factory):
    """The generated pages."""
    out = tmp_path_factory.mktemp("man")
    subprocess.run([ROOT / "viewer/man/make_pages.py", HVSCOPE, "/scripts", out], check=True)
    return {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}


def test_page_of_the_viewer(pages):
    """Every command, option, key and exit status."""
    page = pages["hvscope.1"].replace("\\-", "-")
    text = (ROOT / "viewer/command/option_table.c").read_text(encoding="utf-8")
    options = words(r'(?m)^    \{"(--?[a-zA-Z0-9-]+)", [^,]*,[^,]*', text) - {"-h"}
    commands = words(r'(?m)^    \{"([a-z]+)", COMMAND_', text)
    assert len(options) > 25 and len(commands) > 12
    for name in options | commands:
        assert f"\n.B {name}" in page, name
        assert re.search(rf"^  {re.escape(name)}\b", HELP, re.M), name
    keys = make_pages.keys((ROOT / "viewer/view/keys.def").read_text(encoding="utf-8"))
    assert len(keys) > 20
    for name, _ in keys:
        assert f"\n.B {name}\n" in page.replace("\\e", "\\"), name
    header = (ROOT / "viewer/source/failure.h").read_text(encoding="utf-8")
    section = page[page.index(".SH EXIT STATUS"):page.index(".SH ENVIRONMENT")]
    statuses = words(r"EXIT_\w+ = (\d)\b", header)
    assert statuses == words(r"(?m)^\.B (\d)$", section)


def test_commands():
    """Each is in the README, and each schema that is printed is in the help."""
    text = (ROOT / "viewer/command/option_table.c").read_text(encoding="utf-8")
    section = README[README.index("## By hand"):README.index("## GDB commands")]
    for name in words(r'(?m)^    \{"([a-z]+)", COMMAND_', text):
        assert re.search(rf"\b{name}\b", section), name
    for path in (ROOT / "viewer/command").glob("*.c"):
        for schema in words(r"hvscope\.\w+/\d", path.read_text(encoding="utf-8")):
            assert schema in HELP, schema


def test_views():
    """Each that has a number is in the help of its key and in the README, in this order."""
    table = (ROOT / "viewer/view/draw.c").read_text(encoding="utf-8")
    names = re.findall(r'(?m)^    \[VIEW_\w+\] = \{"(\w+)"', table)
    names.remove("overview")
    text = (ROOT / "viewer/view/keys.def").read_text(encoding="utf-8")
    last = f"F{len(names) + 1}"
    said = re.search(r'KEY\(VIEW1, +"F2-(F\d+)", "Views", "([^(]+) \(v and 1-(\d+)\)"', text)
    assert said.groups() == (last, " ".join(names).title(), str(len(names)))
    listed = re.search(rf"F2 to {last} are its views: ([^;]+);", README)[1].replace("\n", " ")
    listed = re.sub(r"\[(\w+)\]\([^)]*\)", r"\1", listed)
    assert re.findall(r"(\w+)(?: \([^)]*\))?(?:,|$)", listed) == [n.title() for n in names]


def test_completion(pages):
    """It offers every option and command; bash can read it."""
    script = pages["hvscope.bash"]
    for name, _ in make_pages.rows_of(HELP.split("\n\n")[2]) + make_pages.rows_of(
            HELP.split("\n\n")[3]):
        assert f"{name.split()[0]}" in re.findall(r"[\w-]+", script), name
    shell = (script + '\nCOMP_WORDS=(hvscope --pro); COMP_CWORD=1; _hvscope; echo "${COMPREPLY[@]}"'
             '\nCOMP_WORDS=(hvscope ex); COMP_CWORD=1; _hvscope; echo "${COMPREPLY[@]}"')
    said = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert said.stdout == "--profile\nexplain\n" and not said.stderr


def test_gdb_commands(pages):
    """In the README's tables and the man page: all there are, and no others."""
    names = dict(make_pages.documented())
    commands = {name for name in names if "-" in name}
    functions = {name for name in names if "-" not in name}
    assert len(commands) > 18 and len(functions) == 4
    said = words(r"`((?:mapcache|pt|hv)-[a-z]+)", README) - NOT_COMMANDS
    assert commands <= said | {f"mapcache{w}" for w in words(r"`(-[a-z]+)`", README)}
    assert said <= commands | {"hv-walk", "hv-map", "hv-profile"}, said - commands
    for name in commands | {f"${f}" for f in functions}:
        assert "\n.SS " + name.replace("-", "\\-") + "\n" in pages["hvscope-gdb.7"], name
        assert "Example: " in names[name.lstrip("$")].replace("\\-", "-"), name
    for name in functions:
        assert f"${name}(" in README, name


def test_image_options():
    """Options, workloads and faults of the image."""
    sources = {path.name: path.read_text(encoding="utf-8")
               for folder in ("core", "work") for path in (ROOT / "hv" / folder).glob("*.[ch]")}
    options = words(r'(?m)^    \{"([a-z-]+)", set_', sources["cmdline.c"])
    assert len(options) > 9
    for option in options:
        assert f"{option}=" in README, option
    workloads = set().union(*(words(r'\.name = "([a-z0-9]+)"', text) for name, text in
                              sources.items()))
    table = README[README.index("| name | does |"):]
    table = table[:table.index("\n\n")]
    assert workloads == words(r"`([a-z0-9]+)[`:]", re.sub(r"\|[^|]*\|$", "|", table, flags=re.M))


def test_engines():
    """One image each, by the names and in the order that both tools know; README has them."""
    header = (ROOT / "include/hvscope/beacon.h").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^    BEACON_ENGINE_(\w+),", header)
    assert [row.lower() for row in rows] == list(ENGINES)
    makefile = (ROOT / "hv/hv.mk").read_text(encoding="utf-8")
    assert re.search(r"(?m)^HV_ENGINES := (.*)", makefile)[1].split() == list(ENGINES)
    names = (ROOT / "viewer/model/machine.c").read_text(encoding="utf-8")
    for name in ENGINES:
        source = (ROOT / f"hv/mm/domain_page_{name}.c").read_text(encoding="utf-8")
        assert f'mapcache_engine_name[] = "{name}"' in source
        assert f'[BEACON_ENGINE_{name.upper()}] = "{name}"' in names
        assert name == "xen" or f"ENGINE={name}" in README


def test_profiles():
    """The same in both tools, in this order, and each with a word of help in both."""
    viewer = (ROOT / "viewer/model").glob("profile_*.c")
    text = (ROOT / "viewer/model/profile.c").read_text(encoding="utf-8")
    table = re.search(r"profiles\[\] = \{(.*?)\};", text, re.S)[1]
    assert words(r"&profile_(\w+)", table) == {path.stem.split("_")[1] for path in viewer}
    assert tuple(re.findall(r"&profile_(\w+)", table)) == profile.NAMES[1:]
    option = " ".join(HELP[HELP.index("--profile NAME"):].split("--root")[0].split())
    gdb = dict(make_pages.documented())["hv-profile"]
    for name in profile.NAMES[1:]:
        assert f"{name}: " in option and re.search(rf"(?m)^  {name} +\w", gdb), name


def test_where_things_are():
    """Every folder is in the list, and every file that the guide names exists."""
    parts = README[README.index("## How the parts fit"):]
    listed = words(r"(?m)^    ([a-z/-]+)/  +\w", parts)
    there = {str(path.relative_to(ROOT)) for top in ("include", "hv", "viewer", "tests")
             for path in (ROOT / top).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert listed == there | {"gdb-scripts", "screenshots"}
    guide = README[README.index("## Adding to it"):README.index("## Limits")]
    names = {path.name for path in ROOT.rglob("*.*") if BUILD not in path.parents}
    for name in words(r"`[\w/-]*?([\w-]+\.(?:c|h|py|mk|def))`", guide) - {"NAME_view.c", "NAME.c"}:
        assert name in names or "NAME" in name, name
    assert len(words(r"\*\*(A[^*]+)\*\*", guide)) == 6


def test_pictures():
    """README shows or names each that make screenshots makes; each is small and has its text."""
    there = {path.name for path in (ROOT / "screenshots").glob("*.png")}
    assert there == words(r"\(screenshots/([a-z]+\.png)\)", README)
    shoot = (ROOT / "tests/screenshots/shoot.py").read_text(encoding="utf-8")
    assert there == {f"{name}.png" for name in words(r'Scene\("([a-z]+)"', shoot)}
    for name in there:
        path = ROOT / "screenshots" / name
        assert path.stat().st_size <= 100_000 and path.with_suffix(".txt").exists()
