/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image in memory, linked at Xen's address. Each region starts on a page
 * boundary because each has its own permissions (boot_tables.c).
 *
 *   _start   header, text              r-x
 *   _srodata constants, build id       r--
 *   _sdata   data, the beacon          rw-   in the file: a reset loads it anew
 *   _sbss    bss, boot tables, stack   rw-   zeroed by the first instructions
 *   _snoinit not zeroed: survives a reset
 *   _end
 */
#include <hvscope/layout.h>

OUTPUT_ARCH(aarch64)
ENTRY(_start)

PHDRS
{
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    note PT_NOTE FLAGS(4);
    data PT_LOAD FLAGS(6);
}

SECTIONS
{
    . = XEN_VIRT_START;
    _start = .;
    .text : {
        *(.text.header)
        _mapcache_text = .;
        *(.text.mapcache)
        _mapcache_text_end = .;
        *(.text .text.*)
        . = ALIGN(4096);
    } :text
    _srodata = .;
    .rodata : {
        *(.rodata .rodata.*)
        . = ALIGN(4);
        _trace_sites = .;
        *(.trace_sites)
        _trace_sites_end = .;
    } :rodata
    .note.gnu.build-id : {
        _build_id = .;
        *(.note.gnu.build-id)
        _build_id_end = .;
        . = ALIGN(4096);
    } :rodata :note
    _sdata = .;
    .data : {
        *(.data.beacon)
        *(.data .data.*)
        . = ALIGN(4096);
    } :data
    _sbss = .;
    .bss (NOLOAD) : {
        *(.bss.page_aligned)
        . = ALIGN(128);
        __per_cpu_start = .;
        *(.bss.percpu)
        . = ALIGN(128);
        __per_cpu_end = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(4096);
    } :data
    _ebss = .;
    .noinit (NOLOAD) : {
        *(.noinit)
        . = ALIGN(4096);
    } :data
    _end = .;

    /* For the image header, whose fields the assembler cannot compute. */
    image_bytes = ABSOLUTE(_end - _start);
    beacon_offset = ABSOLUTE(beacon_area - _start);

    ASSERT(_end - _start <= XEN_VIRT_SIZE, "the image does not fit its 8 MiB")
    ASSERT(_srodata - _start <= MB(2), "the identity map covers the first 2 MiB of text")

    /DISCARD/ : {
        *(.comment .eh_frame .eh_frame_hdr .note.GNU-stack .ARM.* .init .fini)
    }
}
