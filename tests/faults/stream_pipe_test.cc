/* SPDX-License-Identifier: MIT
 *
 * faults/stream_pipe_test.cc: streams over pipes and files with each fallible call failing: a descriptor is the stream's or
 * still the caller's, and what is copied comes whole or somebody is told why not.
 */
#include "faults/fds.h"
#include "faults/sweep.h"

#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

class StreamPipeFaults : public VariantFaults
{
};
INSTANTIATE_TEST_SUITE_P(Hosts, StreamPipeFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* Copies the lines of one descriptor to another one. */
struct Filter {
    Faults *faults;
    Fds *fds;
    int from, to;
    bool copied = false, ended = false;

    bool Open(int (*open)(hoya_fd, const hoya_stream_options *, hoya_stream **), int fd, hoya_stream **stream)
    {
        if (!faults->Ok(open(fd, nullptr, stream))) {
            EXPECT_EQ(*stream, nullptr);
            EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0) << "as it came";
            return false;
        }
        fds->Forget(fd);
        return true;
    }
    int Copy(hoya_stream *in, hoya_stream *out)
    {
        const char *line = nullptr;
        ssize_t n;
        while ((n = hoya_stream_readline(in, &line)) > 0) {
            int rc = hoya_stream_write(out, line, static_cast<size_t>(n));
            if (rc < 0) return rc;
        }
        return static_cast<int>(n);
    }
    void EndJobs(hoya_loop *loop)
    {
        hoya_future *end = nullptr;
        Faults::Pause pause;
        EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &end), 0);
        EXPECT_EQ(hoya_await(end, nullptr), 0);
        hoya_future_unref(end);
    }
    static int Main(hoya_task *self, void *arg)
    {
        auto filter = static_cast<Filter *>(arg);
        hoya_stream *in = nullptr, *out = nullptr;
        if (filter->Open(hoya_open_read_pipe, filter->from, &in) &&
            filter->Open(hoya_open_write_pipe, filter->to, &out)) {
            int rc = filter->Copy(in, out);
            int end = hoya_stream_close(out, HOYA_NEVER);
            filter->copied = filter->faults->Ok(rc < 0 ? rc : end);
        }
        hoya_stream_unref(in);
        hoya_stream_unref(out);
        filter->EndJobs(hoya_task_get_loop(self));
        filter->ended = true;
        return 0;
    }
};

int FileOf(const std::string &content)
{
    char path[] = "/tmp/hoya-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    unlink(path);
    EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

} // namespace

TEST_P(StreamPipeFaults, AFilterCopiesItsInputOrSaysWhyNot)
{
    const std::string content = "one\n" + std::string(3000, 'l') + "\nrest";
    for (bool files : {false, true})
        Sweep(Name(files ? "a filter of files" : "a filter of pipes").c_str(), [&](Faults &faults) {
            Fds fds;
            int in[2] = {-1, -1}, out[2] = {-1, -1};
            if (files) {
                in[0] = fds.Own(FileOf(content));
                out[1] = fds.Own(FileOf(""));
                out[0] = fds.Own(dup(out[1]));
            } else {
                EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
                EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
                EXPECT_EQ(write(in[1], content.data(), content.size()), static_cast<ssize_t>(content.size()));
                close(in[1]);
                fds.Own(in[0]), fds.Own(out[0]), fds.Own(out[1]);
            }
            Filter filter{&faults, &fds, in[0], out[1]};
            {
                Loop loop(faults, variant(), host.get());
                if (!loop) return;
                if (!faults.Ok(hoya_create_task(loop, Filter::Main, &filter, nullptr, nullptr))) return;
                EXPECT_TRUE(loop.RunUntil([&] { return filter.ended; }));
            }
            if (!filter.copied) return;
            std::string got(content.size() + 1, '?');
            if (files) EXPECT_EQ(lseek(out[0], 0, SEEK_SET), 0);
            ssize_t n = read(out[0], &got[0], got.size());
            EXPECT_EQ(got.substr(0, n < 0 ? 0 : static_cast<size_t>(n)), content);
        });
}

} // namespace hoya_test
