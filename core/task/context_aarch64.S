/* SPDX-License-Identifier: MIT
 *
 * task/context_aarch64.S: the switch for aarch64, the procedure call standard of Arm (AAPCS64).
 *
 * A context that waits is a stack pointer, and above it, from low addresses to high ones:
 *
 *     0    d8 to d15 (of v8 to v15 a function keeps the lower halves)
 *     64   x19 to x28
 *     144  x29, the frame pointer; x30, where to go on
 *     160  FPCR, the floating point control register
 *     168  padding
 *
 * FPCR is written at each switch and loaded only where it differs. Unwinders find their way through the switch, since
 * both frames look alike, and stop at the first function of a stack. Branch target identification: what is called
 * begins with a landing pad (hint 34 is "bti c"); the way out is a `ret`, which needs none at its target. Pointer
 * authentication is not touched: nothing here signs, and a frame lies where it lay when it was signed.
 */

        .text

/* int hoya_context_switch(hoya_context *from, hoya_context *to, int result) */
        .globl  hoya_context_switch
        .hidden hoya_context_switch
        .type   hoya_context_switch, %function
        .p2align 4
hoya_context_switch:
        .cfi_startproc
        hint    #34
        sub     sp, sp, #176
        .cfi_adjust_cfa_offset 176
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
        .cfi_rel_offset x19, 64
        .cfi_rel_offset x20, 72
        .cfi_rel_offset x21, 80
        .cfi_rel_offset x22, 88
        .cfi_rel_offset x23, 96
        .cfi_rel_offset x24, 104
        .cfi_rel_offset x25, 112
        .cfi_rel_offset x26, 120
        .cfi_rel_offset x27, 128
        .cfi_rel_offset x28, 136
        .cfi_rel_offset x29, 144
        .cfi_rel_offset x30, 152
        mrs     x9, fpcr
        str     x9, [sp, #160]

        mov     x10, sp
        str     x10, [x0]
        ldr     x10, [x1]
        mov     sp, x10                 /* here we are on the other stack, in a frame of the same shape */
        mov     w0, w2

        ldr     x10, [sp, #160]
        cmp     x9, x10
        b.eq    1f
        msr     fpcr, x10
1:
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
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        ret
        .cfi_endproc
        .size   hoya_context_switch, . - hoya_context_switch

/* int hoya_context_call(hoya_context *from, hoya_context *on, int (*fn)(void *arg), void *arg)
 *
 * The frame leaps from one stack to another, which gdb takes for a broken one if the caller's lies lower, unless the
 * function bears the name by which it knows gcc's split stacks. */
        .globl  hoya_context_call
        .hidden hoya_context_call
        .type   hoya_context_call, %function
        .p2align 4
hoya_context_call:
        hint    #34
        b       __morestack
        .size   hoya_context_call, . - hoya_context_call

        .type   __morestack, %function
        .p2align 4
__morestack:
        .cfi_startproc
        stp     x29, x30, [sp, #-16]!
        .cfi_adjust_cfa_offset 16
        .cfi_rel_offset x29, 0
        .cfi_rel_offset x30, 8
        mov     x29, sp
        .cfi_def_cfa_register x29
        ldr     x9, [x1]
        mov     sp, x9
        mov     x0, x3
        blr     x2
        mov     sp, x29
        .cfi_def_cfa_register sp
        ldp     x29, x30, [sp], #16
        .cfi_adjust_cfa_offset -16
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   __morestack, . - __morestack

/* int hoya_context_leave(hoya_context *to, int (*then)(void *arg), void *arg): of the frame that it leaves nothing is
 * kept; to the unwinder it is the other one from its first step on. */
        .globl  hoya_context_leave
        .hidden hoya_context_leave
        .type   hoya_context_leave, %function
        .p2align 4
hoya_context_leave:
        .cfi_startproc
        hint    #34
        ldr     x10, [x0]
        mov     sp, x10
        .cfi_adjust_cfa_offset 176
        .cfi_rel_offset x19, 64
        .cfi_rel_offset x20, 72
        .cfi_rel_offset x21, 80
        .cfi_rel_offset x22, 88
        .cfi_rel_offset x23, 96
        .cfi_rel_offset x24, 104
        .cfi_rel_offset x25, 112
        .cfi_rel_offset x26, 120
        .cfi_rel_offset x27, 128
        .cfi_rel_offset x28, 136
        .cfi_rel_offset x29, 144
        .cfi_rel_offset x30, 152
        mov     x16, x1                 /* a branch by way of x16 may go where a call may */
        mov     x0, x2

        mrs     x9, fpcr
        ldr     x10, [sp, #160]
        cmp     x9, x10
        b.eq    2f
        msr     fpcr, x10
2:
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
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        add     sp, sp, #176
        .cfi_adjust_cfa_offset -176
        br      x16                     /* it returns in the place of hoya_context_switch */
        .cfi_endproc
        .size   hoya_context_leave, . - hoya_context_leave

/* Where a new context begins: calls the function in x19 with the argument in x20. Nobody called this: the unwinder is told
 * that there is no way back. */
        .type   hoya_context_start, %function
        .p2align 4
hoya_context_start:
        .cfi_startproc
        .cfi_undefined x30
        hint    #34
        mov     x0, x20
        blr     x19
        brk     #1                      /* it must not return */
        .cfi_endproc
        .size   hoya_context_start, . - hoya_context_start

/* void hoya_context_make(hoya_context *context, void *stack, size_t size, void (*entry)(void *arg), void *arg) */
        .globl  hoya_context_make
        .hidden hoya_context_make
        .type   hoya_context_make, %function
        .p2align 4
hoya_context_make:
        .cfi_startproc
        hint    #34
        add     x9, x1, x2              /* the end of the stack, */
        and     x9, x9, #-16            /* aligned, */
        sub     x9, x9, #176            /* with a frame for the switch */
        stp     xzr, xzr, [x9, #0]
        stp     xzr, xzr, [x9, #16]
        stp     xzr, xzr, [x9, #32]
        stp     xzr, xzr, [x9, #48]
        stp     x3, x4, [x9, #64]       /* x19: the function, x20: its argument */
        stp     xzr, xzr, [x9, #80]
        stp     xzr, xzr, [x9, #96]
        stp     xzr, xzr, [x9, #112]
        stp     xzr, xzr, [x9, #128]
        adr     x10, hoya_context_start
        stp     xzr, x10, [x9, #144]    /* x29: no frame before this one */
        mrs     x11, fpcr
        str     x11, [x9, #160]
        str     x9, [x0]
        ret
        .cfi_endproc
        .size   hoya_context_make, . - hoya_context_make

/* The stack need not be executable. */
        .section .note.GNU-stack, "", %progbits

/* This object keeps the rules of branch target identification (1) and has nothing against pointer authentication (2). */
        .section .note.gnu.property, "a", %note
        .p2align 3
        .long   4, 16, 5                /* lengths of the name and of what follows it, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000000, 4, 3, 0     /* GNU_PROPERTY_AARCH64_FEATURE_1_AND, its length, its value, padding */
