/* SPDX-License-Identifier: MIT
 *
 * conformance/qt_face_test.cc: hoya/qt.hpp: owners, lambdas, QObjects, exceptions.
 */
#if __has_include(<hoya/qt.hpp>)

#include <hoya/qt.hpp> /* first: it stands alone */

#include "conformance.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QPointer>
#include <algorithm>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>

namespace hoya_test
{

class QtFace : public ::testing::Test
{
  protected:
    QtFace()
    {
        static int argc = 1;
        static char name[] = "hoya-tests", *argv[] = {name, nullptr};
        app = std::make_unique<QCoreApplication>(argc, argv);
        alarm(20);
    }
    ~QtFace() override
    {
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        alarm(0);
    }

    /* The application's loop, until what is due has run. */
    static void Turns(int turns = 20)
    {
        while (turns-- > 0) QCoreApplication::processEvents();
    }

    std::unique_ptr<QCoreApplication> app;
};

TEST_F(QtFace, LambdasOfAllKindsRun)
{
    hoya::qt::Loop loop;
    ASSERT_TRUE(loop) << hoya_error_detail();
    Trace trace;
    int pair[2];
    ASSERT_EQ(pipe(pair), 0);
    loop.call_soon([&] { trace.push_back("soon"); });
    loop.call_at(HOYA_NOW, [&] { trace.push_back("at"); });
    EXPECT_EQ(loop.call_soon_threadsafe([&] { trace.push_back("posted"); }), 0);
    EXPECT_EQ(loop.add_writer(pair[1],
                              [&] {
                                  trace.push_back("writer");
                                  loop.remove_writer(pair[1]);
                                  EXPECT_EQ(write(pair[1], "x", 1), 1);
                              }),
              0);
    EXPECT_EQ(loop.add_reader(pair[0],
                              [&](hoya_fd fd, uint32_t events) {
                                  trace.push_back("reader");
                                  EXPECT_EQ(events, HOYA_IN);
                                  loop.remove_reader(fd);
                                  raise(SIGUSR1);
                              }),
              0);
    EXPECT_EQ(loop.add_signal_handler(SIGUSR1,
                                      [&](int signum) {
                                          trace.push_back("signal");
                                          loop.remove_signal_handler(signum);
                                          loop.stop();
                                      }),
              0);
    EXPECT_EQ(loop.run_forever(), 0);
    EXPECT_EQ(trace, (Trace{"soon", "posted", "writer", "at", "reader", "signal"}));
    close(pair[0]);
    close(pair[1]);
}

// Holds: S162
TEST_F(QtFace, ACallableIsDestroyedOnce)
{
    auto value = std::make_shared<int>(7);
    {
        hoya::qt::Loop loop;
        loop.call_soon([value] {});
        auto cancelled = loop.call_later(HOYA_SEC(60), [value] {});
        loop.call_later(HOYA_SEC(60), [value] {});
        loop.add_reader(-1, [value] {}); /* refused */
        loop.call_soon([only = std::make_unique<int>(1), value] { EXPECT_EQ(*only, 1); });
        EXPECT_EQ(value.use_count(), 5);
        EXPECT_EQ(cancelled.cancel(), 1);
        EXPECT_TRUE(cancelled.cancelled());
        EXPECT_EQ(value.use_count(), 4);
        Turns();
        EXPECT_EQ(value.use_count(), 2);
    }
    EXPECT_EQ(value.use_count(), 1) << "the owner has closed the loop";
}

TEST_F(QtFace, ACallbackEndsWithItsObject)
{
    hoya::qt::Loop loop;
    auto value = std::make_shared<int>(0);
    auto count = [value] { ++*value; };
    int pair[2];
    ASSERT_EQ(pipe(pair), 0);
    auto object = std::make_unique<QObject>();
    loop.call_soon(object.get(), count);
    loop.call_later(object.get(), HOYA_MSEC(1), count);
    EXPECT_EQ(loop.add_writer(object.get(), pair[1], count), 0);
    EXPECT_EQ(loop.add_signal_handler(object.get(), SIGUSR2, count), 0);
    EXPECT_EQ(value.use_count(), 6);
    object.reset();
    EXPECT_EQ(value.use_count(), 2) << "all of them are gone, at once";
    EXPECT_EQ(loop.remove_writer(pair[1]), 0) << "not watched any more";
    Turns();
    EXPECT_EQ(*value, 0);
    close(pair[0]);
    close(pair[1]);
}

TEST_F(QtFace, AnObjectMayGoInTheCallbackThatEndsWithIt)
{
    hoya::qt::Loop loop;
    auto object = new QObject;
    int pair[2], calls = 0;
    ASSERT_EQ(pipe(pair), 0);
    EXPECT_EQ(loop.add_writer(object, pair[1],
                              [&] {
                                  calls++;
                                  delete object;
                              }),
              0);
    Turns();
    EXPECT_EQ(calls, 1);
    close(pair[0]);
    close(pair[1]);
}

/* One after the other, as the states of a protocol: each object has a reader of the same descriptor. */
struct States {
    States()
    {
        EXPECT_EQ(pipe(ends), 0);
        EXPECT_EQ(write(ends[1], "x", 1), 1);
    }
    ~States()
    {
        delete first;
        close(ends[0]);
        close(ends[1]);
    }
    QPointer<QObject> first = new QObject;
    QObject second;
    int ends[2], calls = 0;
};

// Holds: F20
TEST_F(QtFace, AReaderThatFollowsInTheCallbackOfAnotherStaysWhenThatOnesObjectGoes)
{
    hoya::qt::Loop loop;
    States of;
    auto next = [&] { of.calls++; };
    auto hand_over = [&] {
        EXPECT_EQ(hoya_loop_remove_reader(loop.get(), of.ends[0]), 1); /* not by the face, which is not told */
        EXPECT_EQ(loop.add_reader(&of.second, of.ends[0], next), 0);
        delete of.first;
    };
    EXPECT_EQ(loop.add_reader(of.first, of.ends[0], hand_over), 0);
    Turns();
    EXPECT_GT(of.calls, 0);
    EXPECT_EQ(loop.remove_reader(of.ends[0]), 1) << "the second one's";
}

// Holds: F20
TEST_F(QtFace, AWriterOfCsThatFollowsOneOfTheFacesStaysWhenThatOnesObjectGoes)
{
    hoya::qt::Loop loop;
    States of;
    Probe next;
    auto hand_over = [&] {
        EXPECT_EQ(loop.remove_writer(of.ends[1]), 1);
        EXPECT_EQ(hoya_loop_add_writer(loop.get(), of.ends[1], Probe::RunFd, &next, Probe::Destroy), 0);
        delete of.first;
    };
    EXPECT_EQ(loop.add_writer(of.first, of.ends[1], hand_over), 0);
    Turns();
    EXPECT_GT(next.runs, 0);
    EXPECT_EQ(next.destroyed, 0);
}

// Holds: F20
TEST_F(QtFace, ASignalHandlerThatFollowsAnotherStaysWhenThatOnesObjectGoesInANestedLoop)
{
    hoya::qt::Loop loop;
    States of;
    auto next = [&](int) { of.calls++; };
    auto hand_over = [&](int signum) {
        loop.call_soon([&, signum] {
            EXPECT_EQ(loop.remove_signal_handler(signum), 1);
            EXPECT_EQ(loop.add_signal_handler(&of.second, signum, next), 0);
            delete of.first;
        });
        Turns(); /* above this callback */
    };
    EXPECT_EQ(loop.add_signal_handler(of.first, SIGUSR1, hand_over), 0);
    raise(SIGUSR1);
    Turns();
    raise(SIGUSR1);
    Turns();
    EXPECT_EQ(of.calls, 1);
}

TEST_F(QtFace, AReaderThatWasRefusedInTheCallbackOfAnotherLeavesThatOneToItsObject)
{
    hoya::qt::Loop loop;
    States of;
    auto hand_over = [&] {
        of.calls++;
        EXPECT_EQ(loop.add_reader(&of.second, of.ends[0], [] {}), HOYA_EEXIST);
        delete of.first;
        EXPECT_EQ(loop.remove_reader(of.ends[0]), 0) << "it went with its object";
    };
    EXPECT_EQ(loop.add_reader(of.first, of.ends[0], hand_over), 0);
    Turns();
    EXPECT_EQ(of.calls, 1);
}

TEST_F(QtFace, AReaderThatWasRemovedLeavesNothingBehindAtItsObject)
{
    hoya::qt::Loop loop;
    States of;
    EXPECT_EQ(loop.add_reader(of.first, of.ends[0], [] {}), 0);
    EXPECT_EQ(hoya_loop_remove_reader(loop.get(), of.ends[0]), 1);
    EXPECT_EQ(loop.add_reader(&of.second, of.ends[0], [&] { of.calls++; }), 0);
    delete of.first;
    Turns();
    EXPECT_GT(of.calls, 0);
}

TEST_F(QtFace, ACallableTakesAsManyArgumentsAsItLikes)
{
    hoya::qt::Loop loop;
    States of;
    Trace trace;
    auto read_once = [&](auto reader) {
        EXPECT_EQ(loop.add_reader(of.ends[0], reader), 0);
        Turns(3);
        EXPECT_EQ(loop.remove_reader(of.ends[0]), 1);
        trace.erase(std::unique(trace.begin(), trace.end()), trace.end());
    };
    read_once([&] { trace.push_back("none"); });
    read_once([&](hoya_fd fd) { trace.push_back(fd == of.ends[0] ? "descriptor" : "?"); });
    read_once([&](hoya_fd fd, uint32_t events) {
        trace.push_back(fd == of.ends[0] && events == HOYA_IN ? "descriptor and events" : "?");
    });
    EXPECT_EQ(loop.add_signal_handler(SIGUSR1, [&] { trace.push_back("signal"); }), 0);
    raise(SIGUSR1);
    Turns();
    EXPECT_EQ(trace, (Trace{"none", "descriptor", "descriptor and events", "signal"}));
}

TEST_F(QtFace, AnObjectMayOutliveWhatWasBoundToIt)
{
    QObject object;
    auto value = std::make_shared<int>(0);
    {
        hoya::qt::Loop loop;
        loop.call_soon(&object, [value] { ++*value; });
        loop.add_reader(&object, 0, [value] {});
        loop.call_later(&object, HOYA_SEC(60), [value] {});
        loop.remove_reader(0);
        Turns();
    }
    EXPECT_EQ(*value, 1);
    EXPECT_EQ(value.use_count(), 1);
} /* the object's end finds no bond of a loop that is gone */

TEST_F(QtFace, ExceptionsGoToTheExceptionHandlerAndTheLoopGoesOn)
{
    hoya::qt::Loop loop;
    Trace seen;
    auto handler = [](hoya_loop *, const hoya_exception_context *context, void *arg) {
        static_cast<Trace *>(arg)->push_back(context->detail ? context->detail : "something");
        return 0;
    };
    ASSERT_EQ(hoya_loop_set_exception_handler(loop.get(), handler, &seen), 0);
    loop.call_soon([] { throw std::runtime_error("out of tea"); });
    loop.call_soon([] { throw 7; });
    loop.call_soon([&] { seen.push_back("goes on"); });
    Turns();
    EXPECT_EQ(seen, (Trace{"out of tea", "something", "goes on"}));
}

// Holds: F20
TEST_F(QtFace, TheOwnerMayGoInACallbackOfItsLoop)
{
    auto loop = std::make_unique<hoya::qt::Loop>();
    auto value = std::make_shared<int>(0);
    loop->call_soon([&] { loop.reset(); });
    loop->call_soon([value] { ++*value; });
    Turns();
    EXPECT_EQ(loop, nullptr);
    EXPECT_EQ(value.use_count(), 1);
}

TEST_F(QtFace, OwnersAndHandlesMove)
{
    hoya::qt::Loop first;
    int runs = 0;
    hoya::qt::Handle handle = first.call_soon([&] { runs++; });
    hoya::qt::Loop second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_FALSE(first.call_soon([] {})) << "an owner of nothing refuses";
    EXPECT_EQ(first.add_reader(0, [] {}), HOYA_EINVAL);
    hoya::qt::Handle other = handle;
    handle = std::move(other);
    EXPECT_EQ(handle.cancel(), 1);
    second.call_soon([&] { runs += 10; });
    Turns();
    EXPECT_EQ(runs, 10);
}

// Holds: S19
TEST_F(QtFace, AnotherThreadPostsByTheFace)
{
    hoya::qt::Loop loop;
    std::thread([&] { EXPECT_EQ(loop.call_soon_threadsafe([&] { loop.stop(); }), 0); }).join();
    EXPECT_EQ(loop.run_forever(), 0);
}

} // namespace hoya_test

#endif
