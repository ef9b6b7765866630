/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points_sock_test.cc: a program of tasks that talk over plain sockets, cancelled wherever they wait:
 * cancel_points.h. Afterwards nothing is watched, and the sockets are as good as before.
 */
#include "cancel_points.h"
#include "sock.h"

namespace hoya_test
{
namespace
{

/* A client connects, sends more than the sockets take, then a file, and reads what comes back. */
class Talk : public Program
{
  public:
    using Program::Program;
    ~Talk() override
    {
        for (int fd : {listener_, client_, server_, file_})
            if (fd >= 0) close(fd);
    }

    int Main(hoya_task *) override
    {
        /* Nobody may wait for the other one for ever, also where he has never begun. */
        std::shared_ptr<void> hangs_up(nullptr, [this](void *) {
            shutdown(listener_, SHUT_RDWR);
            if (server_ >= 0) shutdown(server_, SHUT_RDWR);
        });
        Task server = Spawn("server", [this, hangs_up = std::move(hangs_up)](hoya_task *) { return Serve(); });
        int rc = Ask();
        shutdown(client_, SHUT_RDWR);
        int end = Join(server, rc < 0);
        return rc < 0 ? rc : end;
    }
    bool Whole() override { return back_ == data_ && served_ == data_.size() + kFile; }
    void Check() override
    {
        EXPECT_EQ(data_.compare(0, back_.size(), back_), 0) << "in order, and nothing twice";
        EXPECT_LE(served_, sent_ + static_cast<size_t>(sent_file_)) << "what came was sent, and told";
        ExpectUsable(client_);
        ExpectUsable(server_);
        ExpectUsable(listener_);
    }

  private:
    static constexpr size_t kFile = 1000;

    /* None of the loop's any more. */
    void ExpectUsable(int fd)
    {
        auto nothing = [](hoya_fd, uint32_t, void *) {};
        if (fd < 0) return;
        EXPECT_EQ(hoya_loop_add_reader(loop, fd, nothing, nullptr, nullptr), 0) << hoya_error_detail();
        EXPECT_EQ(hoya_loop_add_writer(loop, fd, nothing, nullptr, nullptr), 0) << hoya_error_detail();
        EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
        EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 1);
    }

    int Ask()
    {
        int rc = hoya_sock_connect(client_, &address_);
        if (rc == 0) rc = SockSend(client_, data_, &sent_);
        if (rc == 0) rc = hoya_sock_sendfile(client_, file_, 0, kFile, 0, &sent_file_);
        while (rc == 0 && back_.size() < data_.size()) {
            std::string some = SockRecv(client_, 65536, &rc);
            if (rc == 0 && some.empty()) return HOYA_EEOF;
            back_ += some;
        }
        /* The server has gone because somebody cancelled it. */
        return IsInterruption(rc) || rc >= 0 ? rc : 0;
    }
    int Serve()
    {
        int rc = hoya_sock_accept(listener_, &server_, nullptr);
        if (rc < 0) return rc;
        std::string all;
        while (rc == 0 && all.size() < data_.size() + kFile) {
            std::string some = SockRecv(server_, 65536, &rc);
            if (rc == 0 && some.empty()) break;
            all += some;
        }
        served_ = all.size();
        if (rc == 0 && all.size() == data_.size() + kFile) rc = SockSend(server_, all.substr(0, data_.size()));
        return IsInterruption(rc) || rc >= 0 ? rc : 0;
    }

    int listener_ = BoundSocket(SOCK_STREAM), client_ = NewSocket(), server_ = -1, file_ = FileOf(Pattern(kFile));
    const hoya_address address_ = AddressOf(listener_);
    const std::string data_ = Pattern(300000);
    std::string back_;
    size_t sent_ = 0, served_ = 0;
    int64_t sent_file_ = 0;
};

} // namespace

// Holds: S83
TEST_P(CancelPoints, SocketsAreUnwatchedAndUsable)
{
    Sweep<Talk>();
}

} // namespace hoya_test
