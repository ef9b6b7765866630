/* SPDX-License-Identifier: MIT
 *
 * switch/registers_aarch64.S: uint64_t registers_lost(hoya_context *from, hoya_context *to, uint64_t seed): puts seed + i
 * into each callee-saved register, switches, and counts the registers that hold something else afterwards.
 */
        .text
        .globl  registers_lost
        .type   registers_lost, %function
registers_lost:
        hint    #34
        sub     sp, sp, #176
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
        str     x2, [sp, #160]
        .irp    n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
        add     x\n, x2, #\n
        .endr
        .irp    n, 8, 9, 10, 11, 12, 13, 14, 15
        add     x9, x2, #\n
        fmov    d\n, x9
        .endr
        bl      hoya_context_switch
        ldr     x2, [sp, #160]
        mov     x0, #0
        .irp    n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
        add     x9, x2, #\n
        cmp     x\n, x9
        cinc    x0, x0, ne
        .endr
        .irp    n, 8, 9, 10, 11, 12, 13, 14, 15
        add     x9, x2, #\n
        fmov    x10, d\n
        cmp     x10, x9
        cinc    x0, x0, ne
        .endr
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
        add     sp, sp, #176
        ret
        .size   registers_lost, . - registers_lost
        .section .note.GNU-stack, "", %progbits
