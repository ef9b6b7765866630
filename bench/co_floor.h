/* SPDX-License-Identifier: MIT
 *
 * co_floor.h: the bare switch: twins co_floor_x86_64.S and co_floor_aarch64.S.
 */
#ifndef HOYA_BENCH_CO_FLOOR_H
#define HOYA_BENCH_CO_FLOOR_H

/* Keeps the registers that a call keeps on this stack, and the stack pointer in *from; goes on where `to` was kept. Neither
 * rounding modes, nor words to a debugger, a sanitizer, or branch tracking. */
void bare_switch(void **from, void *to);

/* The stack pointer of a new one: entry(arg) will run on the stack that ends at `top`. */
void *bare_make(void *top, void (*entry)(void *arg), void *arg);

#endif
