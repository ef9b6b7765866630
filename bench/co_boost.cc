/* SPDX-License-Identifier: MIT
 *
 * co_boost.cc: Boost.Context: its switch, as bare as it has one (jump_fcontext); and fibers on stacks of its pool. It has no
 * loop, and nothing to wait for.
 */
#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <optional>
#include <vector>

#include "co.h"

using namespace boost::context;

static void give(detail::transfer_t from)
{
    for (;;) from = detail::jump_fcontext(from.fctx, from.data);
}

static void switches(long n)
{
    std::vector<char> stack(65536);
    detail::fcontext_t co = detail::make_fcontext(stack.data() + stack.size(), stack.size(), give);
    for (long i = 0; i < n; i += 2) co = detail::jump_fcontext(co, nullptr).fctx;
}

static void spawns(long n)
{
    static pooled_fixedsize_stack pool(65536);
    std::vector<fiber> fibers(BENCH_TASKS);
    for (; n > 0; n -= BENCH_TASKS) {
        for (fiber &f : fibers) f = fiber(std::allocator_arg, pool, [](fiber &&back) { return std::move(back); });
        for (fiber &f : fibers) f = std::move(f).resume();
        for (fiber &f : fibers) bench_require(!f, "a fiber has not ended");
    }
}

extern const bench_co bench_co_implementation = {"boost", switches, nullptr, nullptr, spawns,
                                                 nullptr, nullptr,  nullptr, nullptr};
