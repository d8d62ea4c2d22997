# SPDX-License-Identifier: GPL-2.0-or-later
"""The file to `source` in GDB: commands for EL2 page tables and the mapcache."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

AGAIN = "hvscope.commands" in sys.modules  # gdb has the commands and handlers already

from hvscope import commands  # noqa: E402

if not AGAIN:
    commands.register_all()
print("hvscope: mapcache-*, pt-walk, pt-dump, hv-*; `help` with any of them")
