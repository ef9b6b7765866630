/* SPDX-License-Identifier: MIT
 *
 * conformance/task_owner.h: owners and children, and what becomes of them.
 */
#ifndef HOYA_TESTS_TASK_OWNER_H
#define HOYA_TESTS_TASK_OWNER_H

#include "tasks.h"

namespace hoya_test
{

class TaskOwner : public TaskConformance
{
  protected:
    /* Sleeps until somebody ends it, and says so. */
    TaskWork Sleeper(const char *word)
    {
        return [this, word](hoya_task *) {
            int rc = hoya_sleep(HOYA_SEC(60));
            Note(word);
            return rc;
        };
    }
    void NoteEnd(const Task &task, const char *word)
    {
        auto note = new Work(Say(word));
        EXPECT_EQ(hoya_future_add_done_callback(
                      Of(task), [](hoya_future *, void *arg) { (*static_cast<Work *>(arg))(); }, note,
                      Lambda::Destroy, nullptr),
                  0);
    }
    std::string Dump()
    {
        std::string text;
        auto line = [](const char *words, void *arg) {
            *static_cast<std::string *>(arg) += std::string(words) + "\n";
        };
        EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0) << hoya_error_detail();
        return text;
    }
    /* What creating a task with this owner answers; its argument is destroyed whatever that is. */
    int Refused(hoya_loop *of, hoya_task *owner)
    {
        Probe probe;
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = Probe::Destroy;
        options.owner = owner;
        hoya_task *untouched = nullptr;
        int rc = hoya_create_task(
            of, [](hoya_task *, void *) { return 0; }, &probe, &options, &untouched);
        EXPECT_EQ(probe.destroyed, 1);
        EXPECT_EQ(untouched, nullptr);
        return rc;
    }
};

} // namespace hoya_test

#endif
