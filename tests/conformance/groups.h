/* SPDX-License-Identifier: MIT
 *
 * conformance/groups.h: groups as tests like them: entered with a policy and a limit, with lambdas for
 * children.
 */
#ifndef HOYA_TESTS_GROUPS_H
#define HOYA_TESTS_GROUPS_H

#include "tasks.h"

namespace hoya_test
{

using Errors = std::vector<std::pair<std::string, int>>;

class TaskGroup : public TaskConformance
{
  protected:
    static hoya_group *Enter(hoya_group_policy policy = HOYA_GROUP_FAIL_FAST, unsigned limit = 0,
                             const char *name = nullptr)
    {
        hoya_group_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.policy = policy;
        options.limit = limit;
        hoya_group *group = nullptr;
        EXPECT_EQ(hoya_group_enter(&options, &group), 0) << hoya_error_detail();
        return group;
    }
    static hoya_task_options Options(const char *name)
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.name = name;
        options.destroy = DestroyWork;
        return options;
    }
    static Task Add(hoya_group *group, TaskWork work, const char *name = nullptr)
    {
        hoya_task_options options = Options(name);
        hoya_task *task = nullptr;
        EXPECT_EQ(hoya_group_create_task(group, RunWork, new TaskWork(std::move(work)), &options, &task), 0)
            << hoya_error_detail();
        return Task(task);
    }
    static int Start(hoya_group *group, TaskWork work, void **value = nullptr, hoya_destroy *destroy = nullptr)
    {
        hoya_task_options options = Options("server");
        return hoya_group_start(group, RunWork, new TaskWork(std::move(work)), &options, value, destroy);
    }
    /* What creating a child answers; its argument is destroyed whatever that is. */
    static int Refused(hoya_group *group, hoya_task *owner = nullptr)
    {
        Probe probe;
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = Probe::Destroy;
        options.owner = owner;
        auto never = [](hoya_task *, void *arg) { return static_cast<Probe *>(arg)->runs++; };
        hoya_task *untouched = nullptr;
        int rc = hoya_group_create_task(group, never, &probe, &options, &untouched);
        EXPECT_EQ(probe.destroyed, 1);
        EXPECT_EQ(untouched, nullptr);
        return rc;
    }
    static Errors ErrorsOf(hoya_group *group)
    {
        Errors errors;
        auto add = [](hoya_task *child, int code, const char *text, void *arg) {
            static_cast<Errors *>(arg)->push_back({std::string(hoya_task_get_name(child)) + ": " + text, code});
        };
        int count = hoya_group_errors(group, add, &errors);
        EXPECT_EQ(count, static_cast<int>(errors.size()));
        return errors;
    }
    static TaskWork Fail(int code, const char *text, int rounds = 0)
    {
        return [=](hoya_task *) -> int {
            for (int i = 0; i < rounds; i++)
                if (hoya_sleep(0) < 0) return HOYA_ECANCELED;
            return hoya_error_set(code, "%s", text);
        };
    }
    /* Sleeps until somebody ends it, and says so. */
    TaskWork Sleeper(const char *word)
    {
        return [this, word](hoya_task *) {
            int rc = hoya_sleep(HOYA_SEC(60));
            Note(word);
            return rc;
        };
    }
    TaskWork Sayer(const char *word, int rounds = 0)
    {
        return [this, word, rounds](hoya_task *) -> int {
            for (int i = 0; i < rounds; i++)
                if (hoya_sleep(0) < 0) return HOYA_ECANCELED;
            Note(word);
            return 0;
        };
    }
    static void Destroy(void *arg) { static_cast<Probe *>(arg)->destroyed++; }
    std::string Dump()
    {
        std::string text;
        auto line = [](const char *words, void *arg) {
            *static_cast<std::string *>(arg) += std::string(words) + "\n";
        };
        EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0) << hoya_error_detail();
        return text;
    }
    /* Runs the task to its end; its result. */
    int RunTask(TaskWork work, const char *name = "main")
    {
        Task task = Create(std::move(work), name);
        RunUntilDone({Of(task)});
        return Result(task);
    }
};

} // namespace hoya_test

#endif
