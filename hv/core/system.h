/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far the boot has come. */
#ifndef HV_CORE_SYSTEM_H
#define HV_CORE_SYSTEM_H

enum system_state {
    SYS_EARLY,    /* tables are reached by the pmap, memory comes from bootmem */
    SYS_MAPCACHE, /* map_domain_page() works on the boot CPU */
    SYS_HEAP,     /* the allocators work */
    SYS_ACTIVE,   /* all CPUs are up */
};

extern enum system_state system_state;

#endif /* HV_CORE_SYSTEM_H */
