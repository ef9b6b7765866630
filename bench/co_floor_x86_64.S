/* SPDX-License-Identifier: MIT
 *
 * co_floor_x86_64.S: the least that a switch has to do on x86-64 (System V): six registers, a stack pointer, a jump.
 */
        .text

        .globl  bare_switch
        .type   bare_switch, @function
        .p2align 4
bare_switch:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        popq    %rdx
        jmpq    *%rdx
        .size   bare_switch, . - bare_switch

        .type   start, @function
        .p2align 4
start:
        movq    %r12, %rdi
        call    *%rbx
        ud2
        .size   start, . - start

        .globl  bare_make
        .type   bare_make, @function
        .p2align 4
bare_make:
        andq    $-16, %rdi
        leaq    -64(%rdi), %rax
        movq    %rdx, 24(%rax)          /* r12 */
        movq    %rsi, 32(%rax)          /* rbx */
        leaq    start(%rip), %rcx
        movq    %rcx, 48(%rax)
        ret
        .size   bare_make, . - bare_make

        .section .note.GNU-stack, "", @progbits
