# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of other architectures: what is had, and a mirror that does not answer."""

import shutil
from pathlib import Path

import pytest
from foreign import ARM32, xen_is_fetched, xen_packages
from machine import LaunchError
from packages import Archive


def have(archive: Archive, folder: str, name: str, text: str = "") -> None:
    """As if it had been fetched."""
    path = archive.base / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.skipif(not shutil.which("apt-get"), reason="no apt-get")
def test_no_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and asked again the next time."""
    monkeypatch.setenv("MIRROR", "http://127.0.0.1:1/debian")
    archive = Archive(tmp_path, "armhf")
    with pytest.raises(LaunchError, match="127.0.0.1:1.*Could not connect"):
        archive.fetch("busybox-static")
    assert not archive.has("busybox-static") and not archive.latest(ARM32.kernel)
    assert not (archive.base / "updated").exists()


def test_a_xen_that_is_had(tmp_path: Path) -> None:
    """Only with its symbols, a kernel and what dom0's root is made of."""
    archive = Archive(tmp_path, "armhf")
    needed = [("have", name, "") for name in (*xen_packages(ARM32, "4.17"), "busybox-static",
                                              "linux-image-6.1")]
    for folder, name, text in [*needed, ("latest", ARM32.kernel, "linux-image-6.1")]:
        assert not xen_is_fetched(tmp_path, ARM32)
        have(archive, folder, name, text)
    assert xen_is_fetched(tmp_path, ARM32)
