/* SPDX-License-Identifier: MIT
 *
 * task/context_x86_64.S: the switch for x86-64, System V calling convention.
 *
 * A context that waits is a stack pointer, and above it, from low addresses to high ones:
 *
 *     0   x87 control word (2 bytes), padding, room for MXCSR (4)
 *     8   r15, r14, r13, r12, rbx, rbp
 *     56  where to go on
 *
 * The last step is a jump and not a `ret`: the processor predicts where a `ret` goes by the calls that it saw, and those
 * were on another stack. A fiber that ends without ever having been left goes back to where the processor expects it,
 * and that way ends in a `ret`, the one of `then`; for its sake a new context is jumped into, and not called.
 *
 * The rounding and the traps are those of the x87 control word, for both units: <fenv.h> sets the two alike. MXCSR is
 * touched only where that word differs, and its other bits (flags, and what is done with denormal numbers) stay the
 * thread's: asking for it at each switch would cost half of a switch (docs/decisions/005).
 *
 * Unwinders find their way through the switch, since both frames look alike, and stop at the first function of a
 * stack. Indirect branch tracking: each place that is jumped to begins with endbr64, or the jump says notrack; the switch
 * itself is called by its name alone.
 * Shadow stacks are not supported, and the object is not marked for them.
 */

        .text

/* int hoya_context_switch(hoya_context *from, hoya_context *to, int result) */
        .globl  hoya_context_switch
        .hidden hoya_context_switch
        .type   hoya_context_switch, @function
        .p2align 6                       /* it fits into two lines of a cache */
hoya_context_switch:
        .cfi_startproc
        movq    (%rsi), %rsi            /* early: what the other stack holds depends on it */
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        fnstcw  (%rsp)
        movl    %edx, %eax

        movq    %rsp, (%rdi)
        movq    %rsp, %rcx
        movq    %rsi, %rsp              /* here we are on the other stack, in a frame of the same shape */

        movzwl  (%rsp), %edx            /* no more than was written: that would wait for the cache */
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        cmpw    %dx, (%rcx)             /* late: a word that was just written takes a while to be read */
        jne     .Lother_words
.Lwords_loaded:
        .cfi_remember_state
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rdx
        notrack jmpq *%rdx

        .cfi_restore_state
.Lother_words:
        pushq   %rdx
        .cfi_adjust_cfa_offset 8
        call    load_words
        popq    %rdx
        .cfi_adjust_cfa_offset -8
        jmp     .Lwords_loaded
        .cfi_endproc
        .size   hoya_context_switch, . - hoya_context_switch

/* int hoya_context_leave(hoya_context *to, int (*then)(void *arg), void *arg): of the frame that it leaves nothing is
 * kept; to the unwinder it is the other one from its first step on. */
        .globl  hoya_context_leave
        .hidden hoya_context_leave
        .type   hoya_context_leave, @function
        .p2align 4
hoya_context_leave:
        .cfi_startproc
        endbr64
        fnstcw  -8(%rsp)                /* below the stack's end, which is nobody's but the next signal's: */
        movzwl  -8(%rsp), %ecx          /* the red zone lies there */
        movq    (%rdi), %rsp
        .cfi_adjust_cfa_offset 56
        .cfi_rel_offset r15, 8
        .cfi_rel_offset r14, 16
        .cfi_rel_offset r13, 24
        .cfi_rel_offset r12, 32
        .cfi_rel_offset rbx, 40
        .cfi_rel_offset rbp, 48
        movq    %rsi, %rax
        movq    %rdx, %rdi

        cmpw    %cx, (%rsp)
        jne     .Lother_words_left
.Lwords_loaded_left:
        .cfi_remember_state
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore rbp
        notrack jmpq *%rax              /* it returns in the place of hoya_context_switch */

        .cfi_restore_state
.Lother_words_left:
        call    load_words
        jmp     .Lwords_loaded_left
        .cfi_endproc
        .size   hoya_context_leave, . - hoya_context_leave

/* int hoya_context_call(hoya_context *from, hoya_context *on, int (*fn)(void *arg), void *arg)
 *
 * A call and its `ret` are a pair here, so the processor knows the way back. Nothing of a red zone has to be spared: who
 * waits there does so in the switch. The frame leaps from one stack to another, which gdb takes for a broken one if the
 * caller's lies lower, unless the function bears the name by which it knows gcc's split stacks. */
        .globl  hoya_context_call
        .hidden hoya_context_call
        .type   hoya_context_call, @function
        .p2align 4
hoya_context_call:
        endbr64
        jmp     __morestack
        .size   hoya_context_call, . - hoya_context_call

        .type   __morestack, @function
        .p2align 4
__morestack:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset rbp, 0
        movq    %rsp, %rbp
        .cfi_def_cfa_register rbp
        movq    (%rsi), %rsp
        andq    $-16, %rsp
        movq    %rcx, %rdi
        call    *%rdx
        leave
        .cfi_def_cfa rsp, 8
        .cfi_restore rbp
        ret
        .cfi_endproc
        .size   __morestack, . - __morestack

/* Rare: puts the word that lies on top of the caller's stack in force, in both units. Leaves rax, rdi and what a call has
 * to keep alone. */
        .type   load_words, @function
        .p2align 4
load_words:
        .cfi_startproc
        fldcw   8(%rsp)
        movzwl  8(%rsp), %ecx
        movl    %ecx, %edx
        andl    $0x3f, %ecx             /* the traps: from bit 0 to bit 7 */
        shll    $7, %ecx
        andl    $0xc00, %edx            /* the rounding: from bit 10 to bit 13 */
        shll    $3, %edx
        orl     %edx, %ecx
        stmxcsr 12(%rsp)
        andl    $~0x7f80, 12(%rsp)
        orl     %ecx, 12(%rsp)
        ldmxcsr 12(%rsp)
        ret
        .cfi_endproc
        .size   load_words, . - load_words

/* Where a new context begins: with the function in rbx and the argument in r12. Nobody called this: the unwinder is told
 * that there is no way back. The function is jumped into, and returns to the end of this. */
        .type   hoya_context_start, @function
        .p2align 4
hoya_context_start:
        .cfi_startproc
        .cfi_undefined rip
        endbr64
        movq    %r12, %rdi
        leaq    .Lno_return(%rip), %rax
        pushq   %rax
        notrack jmpq *%rbx
.Lno_return:
        ud2                             /* it must not return */
        .cfi_endproc
        .size   hoya_context_start, . - hoya_context_start

/* void hoya_context_make(hoya_context *context, void *stack, size_t size, void (*entry)(void *arg), void *arg) */
        .globl  hoya_context_make
        .hidden hoya_context_make
        .type   hoya_context_make, @function
        .p2align 4
hoya_context_make:
        .cfi_startproc
        endbr64
        leaq    (%rsi, %rdx), %rax      /* the end of the stack, */
        andq    $-16, %rax              /* aligned as a call wants it, */
        subq    $80, %rax               /* with a frame for the switch, and room for a return address of 0 */
        fnstcw  (%rax)
        xorl    %edx, %edx
        movq    %rdx, 8(%rax)           /* r15 */
        movq    %rdx, 16(%rax)          /* r14 */
        movq    %rdx, 24(%rax)          /* r13 */
        movq    %r8, 32(%rax)           /* r12: the argument */
        movq    %rcx, 40(%rax)          /* rbx: the function */
        movq    %rdx, 48(%rax)          /* rbp: no frame before this one */
        leaq    hoya_context_start(%rip), %rcx
        movq    %rcx, 56(%rax)
        movq    %rdx, 64(%rax)          /* for those who walk stacks without unwind information */
        movq    %rax, (%rdi)
        ret
        .cfi_endproc
        .size   hoya_context_make, . - hoya_context_make

/* The stack need not be executable. */
        .section .note.GNU-stack, "", @progbits

/* This object keeps the rules of indirect branch tracking (1), and not those of shadow stacks (2). */
        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4, 16, 5                /* lengths of the name and of what follows it, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0     /* GNU_PROPERTY_X86_FEATURE_1_AND, its length, its value, padding */
