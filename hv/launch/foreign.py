# SPDX-License-Identifier: GPL-2.0-or-later
"""Hypervisors that nobody here wrote, as machines: Debian's Xen with a Linux dom0, Linux at EL2.

Everything is fetched by package name and unpacked below the build folder. A run directory of
such a machine has the file `symbols` too, a link to its ELF file, where the tools look for it.
"""

import gzip
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import LaunchError, Machine
from packages import Archive

INIT = Path(__file__).with_name("init")
READY = "init: up"


@dataclass(frozen=True)
class Board:
    """How QEMU makes a machine of an architecture, and what Debian calls it."""

    qemu: str
    board: str
    cpu: str
    arch: str
    kernel: str  # the package that names the newest kernel
    bootargs: str  # of a Linux dom0


ARM32 = Board("qemu-system-arm", "virt,virtualization=on", "cortex-a15", "armhf",
              "linux-image-armmp-lpae", " initcall_blacklist=gen_pci_driver_init")
ARM64 = Board("qemu-system-aarch64", "virt,virtualization=on,gic-version=3", "cortex-a57",
              "arm64", "linux-image-arm64", "")

XEN_SUITES = {"4.17": "bookworm", "4.20": "trixie"}
XEN_VERSION = "4.17"

# Where the guest-loader puts dom0: beyond Xen, within the first 512 MiB of RAM.
KERNEL_PA, INITRD_PA = 0x50000000, 0x54000000


def initramfs(archive: Archive) -> Path:
    """A Linux root with busybox and INIT in it, packed; made anew when INIT is newer."""
    packed = archive.base / "initramfs.gz"
    if packed.exists() and packed.stat().st_mtime > INIT.stat().st_mtime:
        return packed
    busybox = archive.fetch("busybox-static") / "bin/busybox"
    with tempfile.TemporaryDirectory(dir=archive.base) as tree:
        for folder in ("bin", "proc", "sys", "dev"):
            (Path(tree) / folder).mkdir()
        shutil.copy(busybox, f"{tree}/bin/busybox")
        (Path(tree) / "bin/sh").symlink_to("busybox")
        shutil.copy(INIT, f"{tree}/init")
        names = "\n".join(sorted(str(p.relative_to(tree)) for p in Path(tree).rglob("*")))
        try:
            cpio = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree,
                                  input=names.encode(), stdout=subprocess.PIPE, check=True)
        except FileNotFoundError:
            raise LaunchError("cpio is not installed: run make deps") from None
        part = Path(f"{tree}/packed")
        part.write_bytes(gzip.compress(cpio.stdout, 6, mtime=0))
        part.rename(packed)
    return packed


def with_program(packed: Path, program: Path, into: Path) -> Path:
    """The same root with one program more, /vm, which init starts: archives may follow another."""
    cpio = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=program.parent,
                          input=program.name.encode(), stdout=subprocess.PIPE, check=True)
    into.write_bytes(packed.read_bytes() + gzip.compress(cpio.stdout, 6, mtime=0))
    return into


class Foreign(Machine):
    """A machine whose hypervisor has symbols in a file of its own."""

    def __init__(self, board: Board, directory: Path, image: Path, symbols: Path | None,
                 **options: Any):
        options["cpu"] = options.get("cpu") or board.cpu
        super().__init__(directory, image, **options)
        self.QEMU, self.BOARD = board.qemu, board.board
        self.board, self.symbols = board, symbols

    def _prepare(self) -> None:
        super()._prepare()
        if self.symbols:
            (self.dir / "symbols").symlink_to(self.symbols.resolve())


def xen_packages(board: Board, version: str) -> tuple[str, str]:
    """Debian's Xen and its symbols."""
    package = f"xen-hypervisor-{version}-{board.arch}"
    return package, f"{package}-dbg"


def xen_is_fetched(build: Path, board: Board, version: str = XEN_VERSION) -> bool:
    """Can such a Xen with its dom0 be made without fetching anything?"""
    linux = Archive(build, board.arch)
    return (Archive(build, board.arch, XEN_SUITES[version]).has(*xen_packages(board, version))
            and linux.has("busybox-static", linux.latest(board.kernel)))


class Xen(Foreign):
    """A Xen, with a Linux dom0 unless told otherwise."""

    def __init__(self, board: Board, directory: Path, build: Path, image: Path | None = None,
                 symbols: Path | None = None, version: str = XEN_VERSION, dom0: bool = True,
                 append: str = "", **options: object):
        if version not in XEN_SUITES:
            raise LaunchError(f"XEN_VERSION={version}: Debian has {' and '.join(XEN_SUITES)}")
        if not image:
            root = Archive(build, board.arch, XEN_SUITES[version]).fetch(
                *xen_packages(board, version))
            image = root / f"boot/xen-{version}-{board.arch}"
            symbols = root / f"usr/lib/debug/boot/xen-syms-{version}-{board.arch}"
        self.dom0 = []
        if dom0:
            linux = Archive(build, board.arch)
            name = linux.fetch_latest(board.kernel)
            kernel = linux.root / "boot" / name.replace("linux-image-", "vmlinuz-")
            self.dom0 = ["-device", f"guest-loader,addr={KERNEL_PA:#x},kernel={kernel},"
                         f"bootargs=console=hvc0 rdinit=/init{board.bootargs}",
                         "-device", f"guest-loader,addr={INITRD_PA:#x},initrd={initramfs(linux)}"]
        append = f"dom0_mem=512M dom0_max_vcpus=1 console=dtuart loglvl=all {append}".strip()
        super().__init__(board, directory, image, symbols, append=append, **options)

    def _guest(self) -> list[str]:
        """Without a dom0 Xen panics and resets: the machine then stays as it is, paused."""
        ends = [] if self.dom0 else ["-action", "reboot=shutdown,shutdown=pause"]
        return [*super()._guest(), *self.dom0, *ends]


class Linux(Foreign):
    """Debian's arm64 Linux, started at EL2; append kvm-arm.mode=nvhe for E2H = 0."""

    def __init__(self, directory: Path, build: Path, append: str = "", **options: object):
        archive = Archive(build, ARM64.arch)
        name = archive.fetch_latest(ARM64.kernel)
        kernel = archive.root / "boot" / name.replace("linux-image-", "vmlinuz-")
        super().__init__(ARM64, directory, kernel, None,
                         append=f"console=ttyAMA0 rdinit=/init {append}".strip(), **options)
        self.initrd = initramfs(archive)

    def _guest(self) -> list[str]:
        return [*super()._guest(), "-initrd", str(self.initrd)]
