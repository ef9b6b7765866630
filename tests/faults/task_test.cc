/* SPDX-License-Identifier: MIT
 *
 * faults/task_test.cc: tasks, with each fallible call failing. A task that was refused has destroyed its argument; one that
 * was made runs to its end, and hears of what failed in it by a code.
 */
#include "faults/sweep.h"

#include <cstring>

namespace hoya_test
{
namespace
{

class TaskFaults : public VariantFaults
{
};

/* Two tasks: one sleeps, the other waits for it within a time. */
struct Story {
    Faults *faults;
    hoya_future *first = nullptr;
    int made = 0, ended = 0, destroyed = 0;

    static int Sleep(hoya_task *, void *arg)
    {
        auto self = static_cast<Story *>(arg);
        self->faults->Ok(hoya_sleep(HOYA_USEC(100)));
        EXPECT_EQ(hoya_sleep(0), 0) << "needs no memory";
        self->ended++;
        return 0;
    }
    static int Own(hoya_task *task, void *arg)
    {
        auto self = static_cast<Story *>(arg);
        hoya_loop *loop = hoya_task_get_loop(task);
        hoya_task_unref(self->Try(loop, Linger, task));
        EXPECT_EQ(hoya_sleep(0), 0);
        hoya_task_unref(self->Try(loop, Linger, task)); /* which never begins */
        self->ended++;
        return 0;
    }
    /* One that says it is ready, one that fails, and in a race of one. */
    static int Group(hoya_task *, void *arg)
    {
        auto self = static_cast<Story *>(arg);
        hoya_group_options race = {};
        race.size = sizeof race;
        race.policy = HOYA_GROUP_RACE;
        race.limit = 1;
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = Destroy;
        hoya_group *group = nullptr;
        int children = 0, before = self->destroyed;
        if (self->faults->Ok(hoya_group_enter(nullptr, &group))) {
            bool ready = self->faults->Ok(hoya_group_start(group, Ready, self, &options, nullptr, nullptr));
            int rc = ready ? hoya_group_create_task(group, Fail, self, &options, nullptr) : 0;
            bool made = ready && self->faults->Ok(rc);
            EXPECT_EQ(hoya_group_leave(group), made ? HOYA_EPIPE : 0);
            children += 1 + ready;
        }
        EXPECT_EQ(self->destroyed, before + children) << "refused or ended";
        if (self->faults->Ok(hoya_group_enter(&race, &group))) {
            bool made = self->faults->Ok(hoya_group_create_task(group, Ready, self, &options, nullptr));
            self->faults->Ok(hoya_group_create_task(group, Linger, self, &options, nullptr));
            if (!made) EXPECT_EQ(hoya_group_cancel(group, "nobody can win"), 1);
            EXPECT_EQ(hoya_group_leave(group), 0);
            children += 2;
        }
        EXPECT_EQ(self->destroyed, before + children);
        self->ended++;
        return 0;
    }
    static int Ready(hoya_task *task, void *)
    {
        EXPECT_GE(hoya_task_started(task, nullptr, nullptr), 0);
        return 0;
    }
    static int Fail(hoya_task *, void *) { return hoya_error_set(HOYA_EPIPE, "the story"); }
    static int Linger(hoya_task *, void *arg)
    {
        auto self = static_cast<Story *>(arg);
        int rc = hoya_sleep(HOYA_SEC(60));
        if (rc != HOYA_ECANCELED) self->faults->Ok(rc);
        return 0;
    }
    static int Wait(hoya_task *task, void *arg)
    {
        auto self = static_cast<Story *>(arg);
        hoya_timeout *timeout = nullptr;
        bool timed = self->faults->Ok(hoya_timeout_enter(HOYA_SEC(10), &timeout));
        if (self->first) self->faults->Ok(hoya_await(self->first, nullptr));
        if (timed) EXPECT_EQ(hoya_timeout_leave(timeout), 0);
        EXPECT_EQ(hoya_task_cancel(task, "the end of the story"), 1);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        self->ended++;
        return 0;
    }
    static void Destroy(void *arg) { static_cast<Story *>(arg)->destroyed++; }

    hoya_task *Try(hoya_loop *loop, hoya_task_function fn, hoya_task *owner = nullptr)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.owner = owner;
        options.destroy = Destroy;
        hoya_task *task = nullptr;
        int before = destroyed;
        if (faults->Ok(hoya_create_task(loop, fn, this, &options, &task))) made++;
        else EXPECT_EQ(destroyed, before + 1);
        return task;
    }
};

} // namespace

TEST_P(TaskFaults, TasksThatSleepAndAwait)
{
    Sweep((std::string("tasks on ") + GetParam().name).c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop) return;
        Story story{&faults};
        hoya_task *sleeper = story.Try(loop, Story::Sleep);
        if (sleeper) story.first = hoya_task_future(sleeper);
        hoya_task *waiter = story.Try(loop, Story::Wait);
        EXPECT_TRUE(loop.RunUntil([&] { return story.ended == story.made; }));
        EXPECT_EQ(story.destroyed, 2);
        hoya_task_unref(sleeper);
        hoya_task_unref(waiter);
    });
}

TEST_P(TaskFaults, AnOwnerAndItsChildren)
{
    Sweep(Name("an owner and its children").c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop) return;
        Story story{&faults};
        hoya_task *owner = story.Try(loop, Story::Own);
        if (!owner) return;
        EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(hoya_task_future(owner)); }));
        EXPECT_EQ(story.ended, 1);
        EXPECT_EQ(story.destroyed, 3) << "the refused ones, those that ran, that never began, and the owner's";
        hoya_task_unref(owner);
    });
}

TEST_P(TaskFaults, GroupsAndTheirChildren)
{
    Sweep(Name("groups").c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop) return;
        Story story{&faults};
        hoya_task *task = story.Try(loop, Story::Group);
        if (!task) return;
        EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(hoya_task_future(task)); }));
        EXPECT_EQ(story.ended, 1);
        hoya_task_unref(task);
    });
}

TEST_P(TaskFaults, ALoopThatIsClosedWithTasks)
{
    Sweep((std::string("a loop is closed with tasks on ") + GetParam().name).c_str(), [&](Faults &faults) {
        Story story{&faults};
        {
            Loop loop(faults, GetParam(), host.get());
            if (!loop) return;
            hoya_task *one = story.Try(loop, [](hoya_task *, void *) {
                while (hoya_sleep(HOYA_SEC(60)) == 0) continue;
                return 0;
            });
            if (hoya_loop_run_once(loop, HOYA_NOW) < 0) faults.answered = true;
            hoya_task *two = story.Try(loop, [](hoya_task *, void *) { return hoya_sleep(HOYA_SEC(60)); });
            hoya_task_unref(one);
            hoya_task_unref(two);
        } /* which closes it */
        EXPECT_EQ(story.destroyed, 2);
    });
}

TEST_P(TaskFaults, TasksInDebugMode)
{
    Sweep((std::string("tasks in debug mode on ") + GetParam().name).c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop || !faults.Ok(hoya_loop_set_debug(loop, 1))) return;
        Story story{&faults};
        hoya_task_unref(story.Try(loop, Story::Sleep));
        EXPECT_TRUE(loop.RunUntil([&] { return story.ended == story.made; }));
        EXPECT_EQ(story.destroyed, 1);
    });
}

TEST_P(TaskFaults, TasksThatAreStartedFromOutside)
{
    Sweep((std::string("tasks from outside on ") + GetParam().name).c_str(), [&](Faults &faults) {
        Story story{&faults};
        int reports = 0;
        hoya_thread_future *future = nullptr;
        {
            Loop loop(faults, GetParam(), host.get());
            if (!loop) return;
            auto count = [](hoya_loop *, const hoya_exception_context *context, void *arg) {
                bool ours = strstr(context->message, "a task of another thread");
                return *static_cast<int *>(arg) += ours, 0;
            };
            if (!faults.Ok(hoya_loop_set_exception_handler(loop, count, &reports))) return;
            hoya_task_options options = {};
            options.size = sizeof options;
            options.name = "from outside";
            options.destroy = Story::Destroy;
            auto end = [](hoya_task *, void *arg) { return static_cast<Story *>(arg)->ended++, 0; };
            bool asked = faults.Ok(hoya_create_task_threadsafe(loop, end, &story, &options, &future));
            EXPECT_EQ(asked, future != nullptr);
            bool unasked = faults.Ok(hoya_create_task_threadsafe(loop, end, &story, &options, nullptr));
            EXPECT_EQ(story.destroyed, !asked + !unasked);
            EXPECT_TRUE(loop.RunUntil([&] { return story.destroyed == 2; }));
            if (asked) EXPECT_TRUE(loop.RunUntil([&] { return hoya_thread_future_done(future); }));
            int told = reports;
            if (asked) told += !faults.Ok(hoya_thread_future_result(future, HOYA_NOW, nullptr));
            EXPECT_EQ(story.ended + told, asked + unasked) << "it ran, or somebody was told why not";
            if (reports) faults.answered = true;
        }
        hoya_thread_future_unref(future);
    });
}

INSTANTIATE_TEST_SUITE_P(Hosts, TaskFaults, testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace hoya_test
