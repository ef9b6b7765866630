/* SPDX-License-Identifier: MIT
 *
 * switch/registers_x86_64.S: uint64_t registers_lost(hoya_context *from, hoya_context *to, uint64_t seed): puts seed + i
 * into each callee-saved register, switches, and counts the registers that hold something else afterwards.
 */
        .text
        .globl  registers_lost
        .type   registers_lost, @function
registers_lost:
        endbr64
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        pushq   %rdx                    /* the seed; the stack is aligned now */
        leaq    1(%rdx), %rbp
        leaq    2(%rdx), %rbx
        leaq    3(%rdx), %r12
        leaq    4(%rdx), %r13
        leaq    5(%rdx), %r14
        leaq    6(%rdx), %r15
        call    hoya_context_switch
        popq    %rdx
        xorl    %eax, %eax
        .irp    register, rbp, rbx, r12, r13, r14, r15
        incq    %rdx
        xorl    %ecx, %ecx
        cmpq    %rdx, %\register
        setne   %cl
        addq    %rcx, %rax
        .endr
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret
        .size   registers_lost, . - registers_lost
        .section .note.GNU-stack, "", @progbits
