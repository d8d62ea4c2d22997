# SPDX-License-Identifier: GPL-2.0-or-later
"""make install: what it puts where works without the repository, and uninstall leaves nothing."""

import os
import subprocess

from conftest import BUILD, ROOT
from hvscope.beacon import ENGINES

INSTALL = ROOT / "hv/launch/install"


def installed(top):
    """All files below a folder."""
    return {str(p.relative_to(top)) for p in top.rglob("*") if not p.is_dir()}


def test_installed_copy(tmp_path, machine):
    """GDB offers the commands with an image, and both tools read a machine of an installed one."""
    prefix = tmp_path / "usr"
    subprocess.run([INSTALL, BUILD, "", prefix, "", *ENGINES], check=True, capture_output=True)
    images = prefix / "share/hvscope/images"
    m = machine(image=images / "hv-clock.bin", cmdline="workload=copy pace=100")
    environment = {**os.environ, "PATH": f"{prefix}/bin:{os.environ['PATH']}"}
    said = subprocess.run(
        ["gdb-multiarch", "-nx", "-q", "-batch", "-iex", f"add-auto-load-safe-path {images}",
         images / "hv-clock.elf", "-ex", f"target remote {m.dir}/gdb.sock", "-ex",
         "mapcache-check"], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=60, check=False).stdout
    assert "invariants: hold on 2 CPUs" in said and "by hvscope check" in said, said
    dump = subprocess.run(["hvscope", "events", "--dir", m.dir], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, check=True).stdout
    assert "xen_map_table+0x" in dump, dump  # symbols of the installed image
    for page in ("man1/hvscope.1", "man7/hvscope-gdb.7"):
        assert (prefix / "share/man" / page).stat().st_size > 5000


def test_nothing_is_left(tmp_path):
    """Below DESTDIR, with GDB's folder; twice is said in one sentence."""
    subprocess.run([INSTALL, BUILD, tmp_path, "/opt/x", "/usr/share/gdb/auto-load", *ENGINES],
                   check=True, capture_output=True)
    there = installed(tmp_path)
    assert "opt/x/bin/hvscope" in there
    assert ("usr/share/gdb/auto-load/opt/x/share/hvscope/images/hv-xen.elf-gdb.py" in there)
    cached = tmp_path / "opt/x/share/hvscope/gdb/hvscope/__pycache__/pte.cpython-311.pyc"
    cached.parent.mkdir()
    cached.touch()  # as Python does when GDB runs as root
    remove = [INSTALL, "--remove", tmp_path, "/opt/x"]
    subprocess.run(remove, check=True)
    assert not installed(tmp_path)
    assert not [p for p in tmp_path.rglob("*") if "hvscope" in p.name]
    again = subprocess.run(remove, capture_output=True, text=True, check=False)
    assert again.returncode == 1 and again.stderr.startswith("uninstall: there is no ")
