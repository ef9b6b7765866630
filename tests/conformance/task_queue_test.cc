/* SPDX-License-Identifier: MIT
 *
 * conformance/task_queue_test.cc: queues: in what order items come, who waits, and what becomes of items at a cancel, a
 * shutdown and the end.
 */
#include "sync.h"
#include "tasks.h"

#include <thread>

namespace hoya_test
{

class TaskQueue : public TaskConformance
{
  protected:
    /* Items are words here. */
    static void *Item(const char *word) { return const_cast<char *>(word); }
    static std::string Word(void *item) { return item ? static_cast<const char *>(item) : "nothing"; }

    std::string GetNowait(const Queue &queue)
    {
        void *item = nullptr;
        int rc = hoya_queue_get_nowait(queue.get(), &item);
        return rc < 0 ? hoya_error_name(rc) : Word(item);
    }
    std::string Get(const Queue &queue)
    {
        void *item = nullptr;
        int rc = hoya_queue_get(queue.get(), &item);
        return rc < 0 ? hoya_error_name(rc) : Word(item);
    }
    Task Getter(const Queue &queue, const std::string &who)
    {
        return Create([this, &queue, who](hoya_task *) {
            Note(who + " " + Get(queue));
            return 0;
        });
    }
    Task Putter(const Queue &queue, const char *word)
    {
        return Create([this, &queue, word](hoya_task *) {
            int rc = hoya_queue_put(queue.get(), Item(word));
            Note(std::string("put ") + (rc < 0 ? hoya_error_name(rc) : word));
            return rc;
        });
    }
    void InTask(TaskWork work)
    {
        Task task = Create(std::move(work), "main");
        RunUntilDone({Of(task)});
    }
    static void Rounds(int n)
    {
        for (; n > 0; n--) EXPECT_EQ(hoya_sleep(0), 0);
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, TaskQueue, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- order ------------------------------------------------------------------------------------------------- */

TEST_P(TaskQueue, TheFirstItemThatWentInComesOutFirst)
{
    Queue queue = NewQueue(loop, HOYA_QUEUE_UNBOUNDED);
    std::vector<int> items(100), got;
    size_t in = 0;
    for (int step = 0; step < 40; step++) { /* it grows while its beginning is anywhere */
        for (int i = 0; i < 3 && in < items.size(); i++)
            EXPECT_EQ(hoya_queue_put_nowait(queue.get(), &items[in++]), 0);
        void *item = nullptr;
        EXPECT_EQ(hoya_queue_get_nowait(queue.get(), &item), 0);
        got.push_back(static_cast<int>(static_cast<int *>(item) - items.data()));
    }
    EXPECT_EQ(hoya_queue_size(queue.get()), 60u);
    for (size_t i = 40; i < 100; i++) {
        void *item = nullptr;
        EXPECT_EQ(hoya_queue_get_nowait(queue.get(), &item), 0);
        got.push_back(static_cast<int>(static_cast<int *>(item) - items.data()));
    }
    for (int i = 0; i < 100; i++) EXPECT_EQ(got[static_cast<size_t>(i)], i);
    EXPECT_EQ(GetNowait(queue), "HOYA_EAGAIN");
}

TEST_P(TaskQueue, TheLastItemThatWentInComesOutFirst)
{
    Queue queue = NewQueue(loop, 3, HOYA_QUEUE_LIFO);
    for (const char *word : {"a", "b", "c"}) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item(word)), 0);
    EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("d")), HOYA_EAGAIN);
    EXPECT_EQ(GetNowait(queue), "c");
    EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("d")), 0);
    EXPECT_EQ(GetNowait(queue), "d");
    EXPECT_EQ(GetNowait(queue), "b");
    EXPECT_EQ(GetNowait(queue), "a");
}

TEST_P(TaskQueue, TheSmallestPriorityComesOutFirstAndOfEqualOnesTheOldest)
{
    Queue queue = NewQueue(loop, HOYA_QUEUE_UNBOUNDED, HOYA_QUEUE_PRIORITY);
    std::vector<std::pair<int, int>> items; /* priority, number */
    for (int i = 0; i < 200; i++) items.emplace_back((i * 37) % 11 - 5, i);
    for (auto &item : items) EXPECT_EQ(hoya_queue_put_priority_nowait(queue.get(), &item, item.first), 0);
    std::pair<int, int> last = {-100, 0};
    for (size_t i = 0; i < items.size(); i++) {
        void *item = nullptr;
        ASSERT_EQ(hoya_queue_get_nowait(queue.get(), &item), 0);
        auto next = *static_cast<std::pair<int, int> *>(item);
        EXPECT_LT(last, next);
        last = next;
    }
    EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("zero")), 0);
    EXPECT_EQ(hoya_queue_put_priority_nowait(queue.get(), Item("less"), INT64_MIN), 0);
    EXPECT_EQ(GetNowait(queue), "less");
    EXPECT_EQ(GetNowait(queue), "zero");
}

TEST_P(TaskQueue, APutterThatWaitsHasItsPriorityWhenThereIsRoom)
{
    Queue queue = NewQueue(loop, 2, HOYA_QUEUE_PRIORITY);
    EXPECT_EQ(hoya_queue_put_priority_nowait(queue.get(), Item("five"), 5), 0);
    EXPECT_EQ(hoya_queue_put_priority_nowait(queue.get(), Item("one"), 1), 0);
    Task putter = Create([&](hoya_task *) { return hoya_queue_put_priority(queue.get(), Item("three"), 3); });
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(Get(queue), "one");
        EXPECT_EQ(Get(queue), "three");
        EXPECT_EQ(Get(queue), "five");
        return 0;
    });
    EXPECT_EQ(Result(putter), 0);
}

/* ---- waiting ----------------------------------------------------------------------------------------------- */

// Holds: S143
TEST_P(TaskQueue, RoomAndItemsThatAreThereAreNotWaitedFor)
{
    Queue queue = NewQueue(loop, 1);
    InTask([&](hoya_task *self) {
        CallSoon(Say("others"));
        for (int cancelled = 0; cancelled < 2; cancelled++) {
            EXPECT_EQ(hoya_queue_put(queue.get(), Item("a")), 0);
            EXPECT_EQ(Get(queue), "a");
            EXPECT_EQ(hoya_queue_task_done(queue.get()), 0);
            EXPECT_EQ(hoya_queue_join(queue.get()), 0);
            EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
        }
        EXPECT_EQ(trace, Trace{});
        return 0;
    });
}

// Holds: S141
TEST_P(TaskQueue, GettersAreServedInTheOrderOfComing)
{
    Queue queue = NewQueue(loop, 5);
    Task a = Getter(queue, "a"), b = Getter(queue, "b"), c = Getter(queue, "c");
    InTask([&](hoya_task *) {
        Rounds(1);
        for (const char *word : {"1", "2"}) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item(word)), 0);
        EXPECT_EQ(GetNowait(queue), "HOYA_EAGAIN") << "they are a's and b's";
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("3")), 0);
        return hoya_wait_done(Of(c));
    });
    EXPECT_EQ(trace, (Trace{"a 1", "b 2", "c 3"}));
}

TEST_P(TaskQueue, AnItemGoesToWhoWaitsForItThoughThereIsRoomForIt)
{
    Queue queue = NewQueue(loop, 4);
    InTask([&](hoya_task *) {
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("a")), 0); /* from here on it has memory for some */
        EXPECT_EQ(Get(queue), "a");
        return 0;
    });
    Task getter = Getter(queue, "getter");
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("b")), 0);
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("c")), 0);
        EXPECT_EQ(hoya_queue_size(queue.get()), 1u);
        return 0;
    });
    RunUntilDone({Of(getter)});
    EXPECT_TRUE(Seen("getter b"));
    EXPECT_EQ(GetNowait(queue), "c");
}

// Holds: S141
TEST_P(TaskQueue, PuttersAreServedInTheOrderOfComing)
{
    Queue queue = NewQueue(loop, 1);
    Task a = Putter(queue, "1"), b = Putter(queue, "2"), c = Putter(queue, "3");
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(Get(queue), "1");
        EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("x")), HOYA_EAGAIN) << "the room is b's";
        for (const char *word : {"2", "3"}) EXPECT_EQ(Get(queue), word);
        return hoya_wait_done(Of(c));
    });
    EXPECT_EQ(trace, (Trace{"put 1", "put 2", "put 3"}));
}

// Holds: S141
TEST_P(TaskQueue, AGetterThatIsCancelledLosesNoItem)
{
    Queue queue = NewQueue(loop, 5);
    Task gone = Getter(queue, "gone"), first = Getter(queue, "first"), second = Getter(queue, "second");
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(gone.get(), nullptr), 1);
        Rounds(1);
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("1")), 0);
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("2")), 0);
        return hoya_wait_done(Of(second));
    });
    EXPECT_EQ(trace, (Trace{"gone HOYA_ECANCELED", "first 1", "second 2"}));
}

// Holds: S141
TEST_P(TaskQueue, APutterThatIsCancelledLosesNoRoomAndKeepsItsItem)
{
    Queue queue = NewQueue(loop, 1);
    EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("0")), 0);
    Task gone = Putter(queue, "1"), first = Putter(queue, "2"), second = Putter(queue, "3");
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(gone.get(), nullptr), 1);
        Rounds(1);
        EXPECT_EQ(Get(queue), "0");
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        EXPECT_EQ(Get(queue), "2");
        EXPECT_EQ(Get(queue), "3");
        return hoya_wait_done(Of(second));
    });
    EXPECT_EQ(trace, (Trace{"put HOYA_ECANCELED", "put 2", "put 3"}));
}

/* ---- without room ------------------------------------------------------------------------------------------ */

// Holds: S141
TEST_P(TaskQueue, WithoutRoomAnItemGoesStraightFromWhoPutsItToWhoGetsIt)
{
    Queue queue = NewQueue(loop, 0);
    EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("nobody")), HOYA_EAGAIN);
    EXPECT_EQ(GetNowait(queue), "HOYA_EAGAIN");
    Task putter = Putter(queue, "1");
    RunRounds(2);
    EXPECT_EQ(trace, Trace{}) << "a put waits for its getter";
    EXPECT_EQ(hoya_queue_size(queue.get()), 0u);
    EXPECT_EQ(hoya_queue_task_done(queue.get()), HOYA_ESTATE) << "it is not put yet";
    EXPECT_EQ(GetNowait(queue), "1");
    EXPECT_EQ(hoya_queue_task_done(queue.get()), 0);
    Task getter = Getter(queue, "got");
    RunRounds(2);
    EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("2")), 0);
    RunUntilDone({Of(putter), Of(getter)});
    EXPECT_EQ(trace, (Trace{"put 1", "got 2"}));
}

TEST_P(TaskQueue, AnItemOfAPutThatWasInterruptedIsStillTheCallers)
{
    Value value;
    Queue queue = NewQueue(loop, 0, HOYA_QUEUE_FIFO, nullptr, Value::Destroy);
    InTask([&](hoya_task *) {
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_USEC(100), &scope), 0);
        EXPECT_EQ(hoya_queue_put(queue.get(), &value), HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        EXPECT_EQ(GetNowait(queue), "HOYA_EAGAIN");
        return 0;
    });
    queue.reset();
    EXPECT_EQ(value.destroyed, 0);
}

/* ---- join -------------------------------------------------------------------------------------------------- */

// Holds: S142
TEST_P(TaskQueue, JoinWaitsUntilEachItemWasSaidToBeDone)
{
    Queue queue = NewQueue(loop, 2);
    EXPECT_EQ(hoya_queue_task_done(queue.get()), HOYA_ESTATE);
    for (const char *word : {"a", "b"}) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item(word)), 0);
    Task joiner = Create([&](hoya_task *) {
        int rc = hoya_queue_join(queue.get());
        Note("joined");
        return rc;
    });
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_queue_free(queue.get()), HOYA_EBUSY);
        EXPECT_EQ(Get(queue), "a");
        EXPECT_EQ(Get(queue), "b");
        EXPECT_EQ(hoya_queue_task_done(queue.get()), 0);
        Rounds(2);
        Note("the last one");
        EXPECT_EQ(hoya_queue_task_done(queue.get()), 0);
        return hoya_await(Of(joiner), nullptr);
    });
    EXPECT_EQ(trace, (Trace{"the last one", "joined"}));
}

/* ---- shutdown ---------------------------------------------------------------------------------------------- */

// Holds: S142
TEST_P(TaskQueue, AQueueThatWasShutDownIsDrainedAndTakesNothingMore)
{
    Queue queue = NewQueue(loop, 2, HOYA_QUEUE_FIFO, "jobs");
    for (const char *word : {"a", "b"}) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item(word)), 0);
    Task putter = Putter(queue, "c"), joiner = Create([&](hoya_task *) { return hoya_queue_join(queue.get()); });
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_queue_shutdown(queue.get(), 0), 0);
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("d")), HOYA_ECLOSED);
        EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("d")), HOYA_ECLOSED);
        EXPECT_STREQ(hoya_error_detail(), "the queue jobs was shut down");
        EXPECT_EQ(Get(queue), "a");
        EXPECT_EQ(hoya_queue_put(queue.get(), Item("d")), HOYA_ECLOSED) << "there is room";
        EXPECT_EQ(GetNowait(queue), "b");
        EXPECT_EQ(Get(queue), "HOYA_ECLOSED");
        EXPECT_EQ(GetNowait(queue), "HOYA_ECLOSED");
        EXPECT_EQ(hoya_wait_done(Of(putter)), 0);
        EXPECT_EQ(hoya_queue_task_done(queue.get()), 0);
        Rounds(1);
        EXPECT_FALSE(Done(joiner)) << "b is not done";
        EXPECT_EQ(hoya_queue_task_done(queue.get()), 0);
        return hoya_await(Of(joiner), nullptr);
    });
    EXPECT_EQ(trace, Trace{"put HOYA_ECLOSED"});
    EXPECT_EQ(Result(putter), HOYA_ECLOSED);
    EXPECT_STREQ(hoya_error_detail(), "the queue jobs was shut down");
}

// Holds: S142
TEST_P(TaskQueue, AShutdownEndsAllWhoWaitForItems)
{
    Queue queue = NewQueue(loop, 2);
    Task a = Getter(queue, "a"), b = Getter(queue, "b"), c = Getter(queue, "c");
    InTask([&](hoya_task *) {
        Rounds(1);
        EXPECT_EQ(hoya_queue_put_nowait(queue.get(), Item("1")), 0);
        EXPECT_EQ(hoya_queue_shutdown(queue.get(), 0), 0);
        return hoya_wait_done(Of(c));
    });
    EXPECT_EQ(trace, (Trace{"a 1", "b HOYA_ECLOSED", "c HOYA_ECLOSED"}));
}

// Holds: S142
TEST_P(TaskQueue, AnImmediateShutdownDestroysWhatIsInItAndJoinDoesNotWaitForThat)
{
    std::array<Value, 3> values;
    Queue queue = NewQueue(loop, 3, HOYA_QUEUE_FIFO, nullptr, Value::Destroy);
    for (Value &value : values) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), &value), 0);
    Task joiner = Create([&](hoya_task *) { return hoya_queue_join(queue.get()); });
    InTask([&](hoya_task *) {
        void *item = nullptr;
        EXPECT_EQ(hoya_queue_get(queue.get(), &item), 0);
        Rounds(1);
        EXPECT_EQ(hoya_queue_shutdown(queue.get(), 1), 0);
        Rounds(1);
        EXPECT_FALSE(Done(joiner)) << "the first one is worked at";
        EXPECT_EQ(hoya_queue_task_done(queue.get()), 0);
        EXPECT_EQ(Get(queue), "HOYA_ECLOSED");
        return hoya_await(Of(joiner), nullptr);
    });
    EXPECT_EQ(values[0].destroyed, 0);
    EXPECT_EQ(values[1].destroyed, 1);
    EXPECT_EQ(values[2].destroyed, 1);
}

TEST_P(TaskQueue, WhatNobodyGotGoesWithTheQueue)
{
    for (hoya_queue_kind kind : {HOYA_QUEUE_FIFO, HOYA_QUEUE_LIFO, HOYA_QUEUE_PRIORITY}) {
        std::array<Value, 3> values;
        Queue queue = NewQueue(loop, 3, kind, nullptr, Value::Destroy);
        for (Value &value : values) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), &value), 0);
        EXPECT_EQ(hoya_queue_shutdown(queue.get(), 0), 0);
        queue.reset();
        for (const Value &value : values) EXPECT_EQ(value.destroyed, 1);
    }
}

TEST_P(TaskQueue, ADestroyFunctionFindsTheQueueWithoutItsItem)
{
    struct Both {
        hoya_queue *queue;
        std::vector<size_t> sizes;
    } both;
    auto look = [](void *arg) {
        auto self = static_cast<Both *>(arg);
        self->sizes.push_back(hoya_queue_size(self->queue));
        EXPECT_EQ(hoya_queue_put_nowait(self->queue, self), HOYA_ECLOSED);
    };
    Queue queue = NewQueue(loop, 3, HOYA_QUEUE_FIFO, nullptr, look);
    both.queue = queue.get();
    for (int i = 0; i < 3; i++) EXPECT_EQ(hoya_queue_put_nowait(queue.get(), &both), 0);
    EXPECT_EQ(hoya_queue_shutdown(queue.get(), 1), 0);
    EXPECT_EQ(both.sizes, (std::vector<size_t>{2, 1, 0}));
}

/* ---- the rest ---------------------------------------------------------------------------------------------- */

TEST_P(TaskQueue, WhatMakesNoSenseIsRefused)
{
    hoya_queue *none = nullptr;
    hoya_queue_options options = {};
    options.size = sizeof options;
    options.kind = HOYA_QUEUE_LIFO;
    EXPECT_EQ(hoya_queue_new(loop, &options, &none), HOYA_EINVAL) << "an order without room";
    options.capacity = 1;
    options.kind = static_cast<hoya_queue_kind>(3);
    EXPECT_EQ(hoya_queue_new(loop, &options, &none), HOYA_EINVAL);
    Queue queue = NewQueue(loop, 7);
    EXPECT_EQ(hoya_queue_capacity(queue.get()), 7u);
    EXPECT_EQ(hoya_queue_put_priority_nowait(queue.get(), nullptr, 1), HOYA_EINVAL);
    EXPECT_EQ(hoya_queue_get_nowait(queue.get(), nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_queue_put(queue.get(), nullptr), HOYA_ESTATE) << "no task";
    EXPECT_EQ(hoya_queue_join(queue.get()), HOYA_ESTATE);
    std::thread([&] { EXPECT_EQ(hoya_queue_put_nowait(queue.get(), nullptr), HOYA_ETHREAD); }).join();
    InTask([&](hoya_task *) {
        void *item = nullptr;
        EXPECT_EQ(hoya_queue_put_priority(queue.get(), nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_queue_get(queue.get(), nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_queue_put(nullptr, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_queue_get(nullptr, &item), HOYA_EINVAL);
        EXPECT_EQ(hoya_queue_join(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_queue_task_done(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_queue_shutdown(nullptr, 0), HOYA_EINVAL);
        return 0;
    });
    EXPECT_EQ(hoya_queue_free(nullptr), 0);
    EXPECT_EQ(hoya_queue_size(nullptr), 0u);
    EXPECT_EQ(hoya_queue_capacity(nullptr), 0u);
}

TEST_P(TaskQueue, TheCloseOfTheLoopEndsAllWaitsAndNoItemIsLost)
{
    std::array<Value, 2> values;
    Queue full = NewQueue(loop, 1, HOYA_QUEUE_FIFO, nullptr, Value::Destroy), empty = NewQueue(loop, 1);
    EXPECT_EQ(hoya_queue_put_nowait(full.get(), &values[0]), 0);
    Task getter = Getter(empty, "got");
    Task putter = Create([&](hoya_task *) { return hoya_queue_put(full.get(), &values[1]); });
    Task joiner = Create([&](hoya_task *) { return hoya_queue_join(full.get()); });
    RunRounds(2);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, Trace{"got HOYA_ECANCELED"});
    EXPECT_EQ(Result(putter), HOYA_ECANCELED);
    EXPECT_EQ(Result(joiner), HOYA_ECANCELED);
    void *item = nullptr;
    EXPECT_EQ(hoya_queue_get_nowait(full.get(), &item), 0) << "it still can be emptied";
    EXPECT_EQ(item, &values[0]);
    EXPECT_EQ(hoya_queue_put_nowait(full.get(), &values[0]), 0);
    full.reset();
    EXPECT_EQ(values[0].destroyed, 1);
    EXPECT_EQ(values[1].destroyed, 0);
    ClearLog();
}

// Holds: S51
TEST_P(TaskQueue, ADumpTellsWhoWaitsForItemsForRoomAndForTheEnd)
{
    Queue full = NewQueue(loop, 1, HOYA_QUEUE_FIFO, "jobs"), empty = NewQueue(loop, 1);
    EXPECT_EQ(hoya_queue_put_nowait(full.get(), Item("a")), 0);
    Task getter = Getter(empty, "got"), putter = Putter(full, "b");
    Task joiner = Create([&](hoya_task *) { return hoya_queue_join(full.get()); });
    RunRounds(2);
    std::string text;
    auto line = [](const char *words, void *arg) { *static_cast<std::string *>(arg) += std::string(words) + "\n"; };
    EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0);
    for (const char *words : {"waits for an item of a queue\n", "waits for room in the queue jobs\n",
                              "waits until 1 items of the queue jobs are done\n"})
        EXPECT_NE(text.find(words), std::string::npos) << words << text;
    for (const Task *task : {&getter, &putter, &joiner}) EXPECT_EQ(hoya_task_cancel(task->get(), nullptr), 1);
    RunUntilDone({Of(getter), Of(putter), Of(joiner)});
}

} // namespace hoya_test
