/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a virtual machine and keeps it: only then does KVM without VHE have
 * its own code and tables at EL2. No library: the tests' initramfs has none.
 */
#define SYS_IOCTL     29
#define SYS_OPENAT    56
#define SYS_PPOLL     73
#define AT_FDCWD      (-100)
#define O_RDWR        2
#define KVM_CREATE_VM 0xae01

static long call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = 0;

    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x8) : "memory");
    return x0;
}

void _start(void);
void _start(void)
{
    long kvm = call(SYS_OPENAT, AT_FDCWD, (long)"/dev/kvm", O_RDWR);

    call(SYS_IOCTL, kvm, KVM_CREATE_VM, 0);
    for (;;)
        call(SYS_PPOLL, 0, 0, 0);
}
