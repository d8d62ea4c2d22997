# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages of another architecture or suite, unpacked beside the build, not installed.

apt runs with lists and a cache of its own, so the machine's packages stay as they are. The
mirror is the machine's own (apt's sources), or $MIRROR where the machine is no Debian.
"""

import fcntl
import os
import re
import subprocess
from pathlib import Path

from machine import LaunchError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def mirror() -> str:
    """Where this machine gets its Debian packages from."""
    if "MIRROR" in os.environ:
        return os.environ["MIRROR"]
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    try:
        out = subprocess.run(["apt-get", "indextargets", "--format", form,
                              "Created-By: Packages"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise LaunchError("there is no apt-get here: Debian's packages cannot be fetched") from None
    release = Path("/etc/os-release").read_text()
    codename = re.search(r"^VERSION_CODENAME=(\w+)", release, re.M)
    for line in out.stdout.splitlines():
        uri, suite, component = line.split()
        if re.search(r"^ID=debian", release, re.M) and component == "main" and (
                suite in (codename and codename[1], "stable")):
            return uri.rstrip("/")
    raise LaunchError("apt's sources name no Debian mirror: set MIRROR= to the address of one")


class Archive:
    """The packages of one suite and architecture; what is unpacked is below root."""

    def __init__(self, build: Path, arch: str, suite: str = "bookworm"):
        self.name = f"{suite}-{arch}"
        self.base = build.resolve() / "debian" / self.name
        self.root = self.base / "root"
        self.arch, self.suite = arch, suite

    def fetch(self, *names: str) -> Path:
        """Unpack these packages, without what they depend on, if they are not; returns root."""
        self.base.mkdir(parents=True, exist_ok=True)
        with open(self.base / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in names:
                if not self.has(name):
                    self._unpack(name)
        return self.root

    def has(self, *names: str) -> bool:
        """Were these fetched?"""
        return all(name and (self.base / "have" / name).exists() for name in names)

    def fetch_latest(self, meta: str) -> str:
        """fetch() the package that a package like linux-image-arm64 stands for; its name."""
        have = self.base / "latest" / meta
        if not self.latest(meta):
            self._update()
            out = self._apt("apt-cache", "depends", meta)
            named = re.search(r"Depends: (\S+)", out)
            if not named:
                raise LaunchError(f"{self.name} has no package {meta} that names another one")
            self.fetch(named[1])
            have.parent.mkdir(exist_ok=True)
            have.write_text(named[1])
        return self.latest(meta)

    def latest(self, meta: str) -> str:
        """What fetch_latest() found; "" if it was not asked yet."""
        have = self.base / "latest" / meta
        return have.read_text() if have.exists() else ""

    def _unpack(self, name: str) -> None:
        self._update()
        print(f"fetching {name} ({self.name})", flush=True)
        debs = self.base / "debs"
        debs.mkdir(exist_ok=True)
        self._apt("apt-get", "download", name, cwd=debs)
        deb = max(debs.glob(f"{name}_*.deb"), key=lambda path: path.stat().st_mtime)
        self.root.mkdir(exist_ok=True)
        subprocess.run(["dpkg", "-x", str(deb), str(self.root)], check=True)
        deb.unlink()
        (self.base / "have").mkdir(exist_ok=True)
        (self.base / "have" / name).touch()

    def _update(self) -> None:
        if (self.base / "updated").exists():
            return
        (self.base / "lists/partial").mkdir(parents=True, exist_ok=True)
        signed = f"signed-by={KEYRING} " if KEYRING.exists() else ""
        (self.base / "sources.list").write_text(
            f"deb [{signed}arch={self.arch}] {mirror()} {self.suite} main\n")
        self._apt("apt-get", "update", "--error-on=any")  # else old or no lists are no error
        (self.base / "updated").touch()

    def _apt(self, *words: str, cwd: Path | None = None) -> str:
        settings = {
            "APT::Architecture": self.arch, "APT::Architectures": self.arch,
            "APT::Sandbox::User": "", "Dir::State::Lists": self.base / "lists",
            "Dir::Etc::SourceList": self.base / "sources.list", "Dir::Etc::SourceParts": "-",
            "Dir::Cache": self.base / "cache"}
        options = [f"-o{name}={value}" for name, value in settings.items()]
        (self.base / "cache").mkdir(exist_ok=True)
        done = subprocess.run([words[0], *options, *words[1:]], capture_output=True, text=True,
                              cwd=cwd, check=False)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            raise LaunchError(f"{' '.join(words)} ({self.name}) failed: "
                              + (" / ".join(said) or "no reason was given"))
        return done.stdout
