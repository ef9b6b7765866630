/* SPDX-License-Identifier: MIT
 *
 * co_floor_aarch64.S: the least that a switch has to do on aarch64 (AAPCS64): x19 to x30, d8 to d15, a stack pointer, a
 * branch.
 */
        .text

        .globl  bare_switch
        .type   bare_switch, %function
        .p2align 4
bare_switch:
        sub     sp, sp, #160
        stp     d8, d9, [sp, #0]
        stp     d10, d11, [sp, #16]
        stp     d12, d13, [sp, #32]
        stp     d14, d15, [sp, #48]
        stp     x19, x20, [sp, #64]
        stp     x21, x22, [sp, #80]
        stp     x23, x24, [sp, #96]
        stp     x25, x26, [sp, #112]
        stp     x27, x28, [sp, #128]
        stp     x29, x30, [sp, #144]
        mov     x9, sp
        str     x9, [x0]
        mov     sp, x1
        ldp     d8, d9, [sp, #0]
        ldp     d10, d11, [sp, #16]
        ldp     d12, d13, [sp, #32]
        ldp     d14, d15, [sp, #48]
        ldp     x19, x20, [sp, #64]
        ldp     x21, x22, [sp, #80]
        ldp     x23, x24, [sp, #96]
        ldp     x25, x26, [sp, #112]
        ldp     x27, x28, [sp, #128]
        ldp     x29, x30, [sp, #144]
        add     sp, sp, #160
        br      x30
        .size   bare_switch, . - bare_switch

        .type   start, %function
        .p2align 4
start:
        mov     x0, x20
        blr     x19
        brk     #1
        .size   start, . - start

        .globl  bare_make
        .type   bare_make, %function
        .p2align 4
bare_make:
        and     x9, x0, #-16
        sub     x0, x9, #160
        stp     x1, x2, [x0, #64]       /* x19, x20 */
        adr     x10, start
        stp     xzr, x10, [x0, #144]    /* x29, x30 */
        ret
        .size   bare_make, . - bare_make

        .section .note.GNU-stack, "", %progbits
