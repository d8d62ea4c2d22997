# SPDX-License-Identifier: GPL-2.0-or-later
"""GDB commands for a hypervisor's EL2 page tables and mapcache.

Data flows one way: target (reads memory and registers) -> beacon, pte, walk,
mapcache, cpus (what it means; no gdb in them, so tests and scripts use them too)
-> commands (text and JSON). Names are those of include/hvscope/*.h and of the
viewer, so that who knows one knows the other.
"""
