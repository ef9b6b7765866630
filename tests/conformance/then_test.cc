/* SPDX-License-Identifier: MIT
 *
 * conformance/then_test.cc: what comes next, in the style of promises.
 */
#include "combine.h"

namespace hoya_test
{
namespace
{

using ThenWork = std::function<int(hoya_future *source, hoya_future *next)>;

/* Both functions have the one argument. */
struct Steps {
    ThenWork on_value, on_error;

    static int Value(hoya_future *source, hoya_future *next, void *arg)
    {
        return static_cast<Steps *>(arg)->on_value(source, next);
    }
    static int Error(hoya_future *source, hoya_future *next, void *arg)
    {
        return static_cast<Steps *>(arg)->on_error(source, next);
    }
    static void Destroy(void *arg) { delete static_cast<Steps *>(arg); }
};

int TryThen(hoya_future *source, ThenWork on_value, ThenWork on_error, hoya_future **next)
{
    hoya_then_function value = on_value ? Steps::Value : nullptr, error = on_error ? Steps::Error : nullptr;
    return hoya_future_then(source, value, error, new Steps{std::move(on_value), std::move(on_error)},
                            Steps::Destroy, next);
}

Future Then(const Future &source, ThenWork on_value, ThenWork on_error = nullptr)
{
    hoya_future *next = nullptr;
    EXPECT_EQ(TryThen(source.get(), std::move(on_value), std::move(on_error), &next), 0) << hoya_error_detail();
    return Future(next);
}

} // namespace

TEST_P(LoopConformance, ThenTheValueComesAndAnotherOneGoes)
{
    int first = 1, second = 2;
    Future source = NewFuture(loop);
    Future next = Then(
        source,
        [&](hoya_future *of, hoya_future *to) {
            void *value = nullptr;
            EXPECT_EQ(hoya_future_result(of, &value), 0);
            EXPECT_EQ(value, &first);
            Note("value");
            return hoya_future_set_result(to, &second, nullptr);
        },
        [&](hoya_future *, hoya_future *) { return Note("error"), 0; });
    EXPECT_EQ(hoya_future_set_result(source.get(), &first, nullptr), 0);
    source.reset();
    EXPECT_EQ(trace, Trace{}) << "not inside the call";
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"value"});
    void *value = nullptr;
    EXPECT_EQ(hoya_future_result(next.get(), &value), 0);
    EXPECT_EQ(value, &second);
}

TEST_P(LoopConformance, ThenTheStatusOfTheFunctionIsTheOutcome)
{
    Future source = NewFuture(loop);
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    Future fine = Then(source, [](hoya_future *, hoya_future *) { return 7; });
    Future failed =
        Then(source, [](hoya_future *, hoya_future *) { return hoya_error_set(HOYA_EIO, "step %d", 2); });
    Future silent = Then(source, [](hoya_future *, hoya_future *) {
        hoya_error_set(HOYA_EIO, "something else");
        return HOYA_EPIPE;
    });
    Future cancelled = Then(source, [](hoya_future *, hoya_future *) { return HOYA_ECANCELED; });
    EXPECT_FALSE(IsDone(fine)) << "not inside the call that adds it";
    hoya_error_set(HOYA_EPIPE, "an old failure");
    RunRounds(1);
    EXPECT_STREQ(hoya_error_detail(), "an old failure") << "what a function fails in is its own";
    EXPECT_EQ(hoya_future_result(fine.get(), nullptr), 0);
    EXPECT_EQ(TextOf(failed), "step 2");
    EXPECT_EQ(TextOf(silent), "");
    EXPECT_TRUE(IsCancelled(cancelled));
}

// Holds: S36
TEST_P(LoopConformance, ThenAFailureIsPassedOnToWhoeverAsksForFailures)
{
    Future source = NewFuture(loop);
    Future next = Then(source, [&](hoya_future *, hoya_future *) { return Note("skipped"), 0; });
    Future last = Then(next, nullptr, [&](hoya_future *of, hoya_future *) {
        const char *text = "";
        EXPECT_EQ(hoya_future_exception(of, &text), HOYA_EPIPE);
        Note(text);
        return 0;
    });
    next.reset();
    EXPECT_EQ(hoya_future_set_exception(source.get(), HOYA_EPIPE, "broken"), 0);
    source.reset();
    RunRounds(2);
    EXPECT_EQ(trace, Trace{"broken"});
    EXPECT_EQ(hoya_future_result(last.get(), nullptr), 0);
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S36
TEST_P(LoopConformance, ThenAFailureThatWasAskedForIsTheFunctionsWhetherItLooksOrNot)
{
    Future source = NewFuture(loop);
    Future next = Then(source, nullptr, [](hoya_future *, hoya_future *) { return 0; });
    EXPECT_EQ(hoya_future_set_exception(source.get(), HOYA_EPIPE, nullptr), 0);
    RunRounds(1);
    source.reset();
    EXPECT_EQ(LogLines(), 0u);
    Future unheard = Then(next, [](hoya_future *, hoya_future *) { return HOYA_EIO; });
    RunRounds(1);
    unheard.reset();
    EXPECT_EQ(LogLines(), 1u);
}

TEST_P(LoopConformance, ThenAValueMovesOnWhereNobodyAsksForIt)
{
    Value value;
    Future source = NewFuture(loop);
    Future next = Then(source, nullptr, [](hoya_future *, hoya_future *) { return 0; });
    EXPECT_EQ(hoya_future_set_result(source.get(), &value, Value::Destroy), 0);
    RunRounds(1);
    source.reset();
    EXPECT_EQ(value.destroyed, 0);
    EXPECT_EQ(hoya_future_result(next.get(), nullptr), 0);
    next.reset();
    EXPECT_EQ(value.destroyed, 1);
}

TEST_P(LoopConformance, ThenAnotherFutureIsFollowed)
{
    Value value;
    Future source = NewFuture(loop), other = NewFuture(loop), failing = NewFuture(loop);
    hoya_future *kept = other.get();
    Future next = Then(source, [&](hoya_future *, hoya_future *to) {
        int rc = hoya_future_follow(to, other.get());
        EXPECT_EQ(hoya_future_follow(to, failing.get()), HOYA_ESTATE) << "it follows one";
        other.reset();
        return rc;
    });
    Future bad =
        Then(source, [&](hoya_future *, hoya_future *to) { return hoya_future_follow(to, failing.get()); });
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_FALSE(IsDone(next));
    EXPECT_EQ(hoya_future_set_result(kept, &value, Value::Destroy), 0) << "it is kept";
    EXPECT_EQ(hoya_future_set_exception(failing.get(), HOYA_EIO, "later"), 0);
    RunRounds(1);
    EXPECT_EQ(hoya_future_result(next.get(), nullptr), 0);
    EXPECT_EQ(value.destroyed, 0);
    next.reset();
    EXPECT_EQ(value.destroyed, 1);
    EXPECT_EQ(TextOf(bad), "later");
}

TEST_P(LoopConformance, OnlyWhatComesThenFollowsAnotherFuture)
{
    hoya_loop *sibling = NewSibling();
    Future source = NewFuture(loop), there = NewFuture(sibling), plain = NewFuture(loop);
    Future next = Then(source, [&](hoya_future *, hoya_future *to) {
        EXPECT_EQ(hoya_future_follow(to, to), HOYA_EINVAL);
        EXPECT_EQ(hoya_future_follow(to, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_future_follow(to, there.get()), HOYA_EINVAL);
        EXPECT_EQ(hoya_future_set_result(to, nullptr, nullptr), 0);
        EXPECT_EQ(hoya_future_follow(to, plain.get()), HOYA_ESTATE);
        return 0;
    });
    EXPECT_EQ(hoya_future_follow(plain.get(), source.get()), HOYA_ESTATE);
    EXPECT_EQ(hoya_future_follow(next.get(), plain.get()), HOYA_ESTATE) << "its source is pending";
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_TRUE(IsDone(next));
    hoya_future *out = nullptr;
    auto witness = std::make_shared<int>(0);
    EXPECT_EQ(TryThen(
                  nullptr, [witness](hoya_future *, hoya_future *) { return 0; }, nullptr, &out),
              HOYA_EINVAL);
    EXPECT_EQ(TryThen(source.get(), nullptr, nullptr, &out), HOYA_EINVAL);
    EXPECT_EQ(witness.use_count(), 1) << "the argument is taken, always";
    EXPECT_EQ(out, nullptr);
    there.reset();
    Release(sibling);
}

TEST_P(LoopConformance, CancellingWhatComesThenCancelsWhatNobodyElseWaitsFor)
{
    auto never = [&](hoya_future *, hoya_future *) { return Note("never"), 0; };
    Future alone = NewFuture(loop), shared = NewFuture(loop);
    Future a = Then(alone, never), b = Then(shared, never),
           c = Then(shared, [](hoya_future *, hoya_future *) { return 0; });
    EXPECT_EQ(hoya_future_cancel(a.get(), "a reason"), 1);
    EXPECT_TRUE(IsCancelled(a) && IsCancelled(alone));
    EXPECT_EQ(TextOf(alone), "a reason");
    EXPECT_EQ(hoya_future_cancel(b.get(), nullptr), 1);
    EXPECT_FALSE(IsDone(shared)) << "c waits for it, too";
    EXPECT_EQ(hoya_future_set_result(shared.get(), nullptr, nullptr), 0);
    RunRounds(2);
    EXPECT_TRUE(IsDone(c));
    EXPECT_EQ(trace, Trace{});

    Future part = NewFuture(loop), other = NewFuture(loop);
    Future all = Gather(loop, {part.get(), other.get()});
    Future last = Then(all, never);
    EXPECT_EQ(hoya_future_cancel(last.get(), nullptr), 1);
    EXPECT_TRUE(IsCancelled(part) && IsCancelled(all));

    Future source = NewFuture(loop), followed = NewFuture(loop);
    Future next =
        Then(source, [&](hoya_future *, hoya_future *to) { return hoya_future_follow(to, followed.get()); });
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_EQ(hoya_future_cancel(next.get(), nullptr), 1);
    EXPECT_TRUE(IsCancelled(followed));
}

TEST_P(LoopConformance, ThenNothingComesForOneThatIsLetGo)
{
    auto witness = std::make_shared<int>(0);
    Future source = NewFuture(loop);
    Future next = Then(source, [this, witness](hoya_future *, hoya_future *) { return Note("never"), 0; });
    EXPECT_EQ(witness.use_count(), 2);
    next.reset();
    EXPECT_EQ(witness.use_count(), 1) << "at once";
    EXPECT_FALSE(IsDone(source));
    Future queued = Then(source, [this](hoya_future *, hoya_future *) { return Note("never"), 0; });
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    queued.reset();
    RunRounds(1);
    EXPECT_EQ(trace, Trace{});
}

TEST_P(LoopConformance, ThenTheFunctionMayLetItsOwnFutureGo)
{
    Future source = NewFuture(loop), other = NewFuture(loop), next;
    next = Then(source, [&](hoya_future *, hoya_future *to) {
        next.reset();
        return hoya_future_follow(to, other.get());
    });
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_EQ(next, nullptr);
    EXPECT_EQ(hoya_future_set_result(other.get(), nullptr, nullptr), 0);
    RunRounds(1);
}

TEST_P(LoopConformance, ThenTheFunctionMayLetItsOwnFutureGoFollowAndCancelIt)
{
    Future source = NewFuture(loop), other = NewFuture(loop), next;
    next = Then(source, [&](hoya_future *, hoya_future *to) {
        next.reset();
        EXPECT_EQ(hoya_future_follow(to, other.get()), 0);
        EXPECT_EQ(hoya_future_cancel(to, nullptr), 1);
        EXPECT_TRUE(hoya_future_cancelled(to));
        return 0;
    });
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_EQ(next, nullptr);
    EXPECT_TRUE(IsCancelled(other));
}

TEST_P(LoopConformance, ThenPromisesDoNotWaitInACircle)
{
    Future source = NewFuture(loop), next, last;
    next = Then(source, [&](hoya_future *, hoya_future *to) {
        Future inner = Then(last, [](hoya_future *, hoya_future *) { return 0; });
        EXPECT_EQ(hoya_future_follow(to, last.get()), HOYA_EDEADLK);
        return hoya_future_follow(to, inner.get());
    });
    last = Then(next, [](hoya_future *, hoya_future *) { return 0; });
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_EQ(hoya_future_result(next.get(), nullptr), HOYA_EDEADLK);
    RunRounds(1);
    EXPECT_EQ(hoya_future_result(last.get(), nullptr), HOYA_EDEADLK);
}

/* The value of a combinator is that of its parts, or its own list. */
TEST_P(LoopConformance, ThenAValueThatIsLentIsKept)
{
    Value value;
    Future part = NewFuture(loop), source = NewFuture(loop), all = Gather(loop, {part.get()});
    Future race = Race(loop, {all.get()});
    auto fine = [](hoya_future *, hoya_future *) { return 0; };
    Future passed = Then(race, nullptr, fine);
    Future follows =
        Then(source, [&](hoya_future *, hoya_future *to) { return hoya_future_follow(to, passed.get()); });
    Future last = Then(follows, nullptr, fine);
    EXPECT_EQ(hoya_future_set_result(part.get(), &value, Value::Destroy), 0);
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    race.reset();
    all.reset();
    part.reset();
    RunRounds(4);
    passed.reset();
    follows.reset();
    EXPECT_EQ(ListOf(last)[0].value, &value);
    EXPECT_EQ(value.destroyed, 0);
    last.reset();
    EXPECT_EQ(value.destroyed, 1);
}

TEST_P(LoopConformance, ThenWithoutAFutureTheSourceHasTheCallback)
{
    auto witness = std::make_shared<int>(0);
    Future other = NewFuture(loop);
    for (int status : {0, int(HOYA_EPIPE)}) {
        Future source = NewFuture(loop);
        auto step = [this, status, witness](hoya_future *, hoya_future *) { return Note("ran"), status; };
        EXPECT_EQ(TryThen(source.get(), step, nullptr, nullptr), 0);
        EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
        source.reset();
        RunRounds(1);
        EXPECT_EQ(LogLines(), status ? 1u : 0u);
    }
    ClearLog();
    EXPECT_EQ(trace, (Trace{"ran", "ran"}));
    auto follow = [&, witness](hoya_future *, hoya_future *to) { return hoya_future_follow(to, other.get()); };
    Future source = NewFuture(loop), dropped = NewFuture(loop);
    EXPECT_EQ(TryThen(source.get(), follow, nullptr, nullptr), 0);
    EXPECT_EQ(TryThen(dropped.get(), follow, nullptr, nullptr), 0);
    dropped.reset();
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_EQ(hoya_future_set_exception(other.get(), HOYA_EIO, "in the end"), 0);
    RunRounds(1);
    EXPECT_TRUE(Logged("in the end"));
    source.reset();
    EXPECT_EQ(witness.use_count(), 2) << "the one in follow itself";
}

/* Each promise follows the next one, and at the end all of them are done: no stack grows with that. */
TEST_P(LoopConformance, ThenALongChainEndsWithoutAStackOfItsOwnLength)
{
    constexpr int kLength = 3000;
    std::function<int(hoya_future *, int)> step = [&](hoya_future *to, int left) {
        Future source = NewFuture(loop);
        EXPECT_EQ(hoya_future_set_result(source.get(), &step, nullptr), 0);
        if (!left) return hoya_future_set_result(to, &trace, nullptr);
        Future next = Then(source, [&, left](hoya_future *, hoya_future *then) { return step(then, left - 1); });
        return hoya_future_follow(to, next.get());
    };
    Future source = NewFuture(loop);
    Future next = Then(source, [&](hoya_future *, hoya_future *to) { return step(to, kLength); });
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    for (int i = 0; i < 3 * kLength && !IsDone(next); i++) RunRounds(1);
    void *value = nullptr;
    EXPECT_EQ(hoya_future_result(next.get(), &value), 0);
    EXPECT_EQ(value, &trace);
}

// Holds: S15
TEST_P(LoopConformance, ThenNothingComesAfterTheLoopIsClosed)
{
    auto witness = std::make_shared<int>(0);
    auto never = [this, witness](hoya_future *, hoya_future *) { return Note("never"), 0; };
    Future source = NewFuture(loop), followed = NewFuture(loop), begun = NewFuture(loop);
    Future next = Then(source, never);
    EXPECT_EQ(TryThen(source.get(), never, nullptr, nullptr), 0);
    auto follow = [&](hoya_future *, hoya_future *to) { return hoya_future_follow(to, followed.get()); };
    Future follower = Then(begun, follow);
    EXPECT_EQ(TryThen(begun.get(), follow, nullptr, nullptr), 0);
    EXPECT_EQ(hoya_future_set_result(begun.get(), nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(witness.use_count(), 2) << "the one in never itself";
    EXPECT_EQ(hoya_future_set_result(source.get(), nullptr, nullptr), 0);
    EXPECT_EQ(hoya_future_set_result(followed.get(), nullptr, nullptr), 0);
    EXPECT_FALSE(IsDone(next) || IsDone(follower));
    hoya_future *out = nullptr;
    EXPECT_EQ(TryThen(source.get(), never, nullptr, &out), HOYA_ECLOSED);
    EXPECT_EQ(hoya_future_cancel(next.get(), nullptr), 1);
    EXPECT_EQ(trace, Trace{});
}

// Holds: S15
TEST_P(LoopConformance, ThenAnArgumentMayOwnWhatComesWhenTheLoopIsClosed)
{
    Future source = NewFuture(loop), begun = NewFuture(loop);
    auto owner = std::make_shared<Future>();
    *owner = Then(source, [owner](hoya_future *, hoya_future *) { return 0; });
    std::weak_ptr<Future> first = owner;
    owner.reset();

    hoya_future *other = nullptr;
    EXPECT_EQ(hoya_future_new(loop, &other), 0);
    Future next = Then(begun, [&](hoya_future *, hoya_future *to) {
        int rc = hoya_future_follow(to, other);
        hoya_future_unref(other);
        return rc;
    });
    EXPECT_EQ(hoya_future_set_result(begun.get(), nullptr, nullptr), 0);
    RunRounds(1);
    auto nothing = [](hoya_future *, void *) {};
    auto drop = [](void *arg) { hoya_future_unref(static_cast<hoya_future *>(arg)); };
    EXPECT_EQ(hoya_future_add_done_callback(other, nothing, next.release(), drop, nullptr), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(first.expired());
}

} // namespace hoya_test
