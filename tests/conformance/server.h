/* SPDX-License-Identifier: MIT
 *
 * conformance/server.h: servers as tests like them: with a house, which knows its guests, and clients that are plain sockets.
 */
#ifndef HOYA_TESTS_SERVER_H
#define HOYA_TESTS_SERVER_H

#include "conformance.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/futures.h"
#include "support/resolvers.h"

namespace hoya_test
{

struct UnrefServer {
    void operator()(hoya_server *server) const { hoya_server_unref(server); }
};
using Server = std::unique_ptr<hoya_server, UnrefServer>;

/* What a server has for its connections: the argument of its factory. Guests echo what they hear. */
struct House {
    std::function<int(hoya_server *)> on_factory; /* a failure: nobody is let in */
    std::function<int(hoya_transport *)> on_made;
    Work on_released, on_destroyed;

    std::vector<hoya_transport *> guests; /* from connection_made to connection_lost */
    int asked = 0, made = 0, lost = 0, released = 0, destroyed = 0;

    static int Factory(hoya_server *server, hoya_protocol *protocol, void *arg)
    {
        auto house = static_cast<House *>(arg);
        house->asked++;
        int rc = house->on_factory ? house->on_factory(server) : 0;
        if (rc >= 0) *protocol = house->protocol();
        return rc;
    }
    static void Destroy(void *arg)
    {
        auto house = static_cast<House *>(arg);
        house->destroyed++;
        if (house->on_destroyed) house->on_destroyed();
    }
    hoya_protocol protocol() { return {&kOps, this}; }

  private:
    static House *Of(void *arg) { return static_cast<House *>(arg); }
    static int Made(hoya_transport *transport, void *arg)
    {
        Of(arg)->made++;
        Of(arg)->guests.push_back(transport);
        return Of(arg)->on_made ? Of(arg)->on_made(transport) : 0;
    }
    static int Data(hoya_transport *transport, const void *data, size_t size, void *)
    {
        return hoya_transport_write(transport, data, size);
    }
    static void Lost(hoya_transport *transport, int, void *arg)
    {
        auto &guests = Of(arg)->guests;
        guests.erase(std::remove(guests.begin(), guests.end(), transport), guests.end());
        Of(arg)->lost++;
    }
    static void Released(void *arg)
    {
        Of(arg)->released++;
        if (Of(arg)->on_released) Of(arg)->on_released();
    }
    static constexpr hoya_protocol_ops kOps = {sizeof(hoya_protocol_ops),
                                               Made,
                                               nullptr,
                                               nullptr,
                                               Data,
                                               nullptr,
                                               nullptr,
                                               nullptr,
                                               Lost,
                                               Released,
                                               nullptr};
};

/* Over any fixture that has a loop. */
template <typename Base> class WithServers : public Base
{
  protected:
    void TearDown() override
    {
        Base::TearDown();
        AwaitLanesAtEnd();
        for (const std::string &path : paths_) unlink(path.c_str());
        if (!directory_.empty()) rmdir(directory_.c_str());
    }

    static hoya_server_options Options()
    {
        hoya_server_options options = {};
        options.size = sizeof options;
        return options;
    }

    template <size_t N> static hoya_server_options With(const hoya_endpoint (&more)[N])
    {
        hoya_server_options options = Options();
        options.more = more;
        options.more_count = N;
        return options;
    }

    Future Create(House &of, const char *name, const char *port, const hoya_server_options *options = nullptr,
                  int expected = 0)
    {
        hoya_future *future = nullptr;
        int rc = hoya_create_server(this->loop, name, port, House::Factory, &of, House::Destroy, options, &future);
        EXPECT_EQ(rc, expected) << hoya_error_detail();
        return Future(future);
    }
    static Server Take(const Future &future)
    {
        void *server = nullptr;
        hoya_destroy destroy = nullptr;
        EXPECT_EQ(hoya_future_take(future.get(), &server, &destroy), 0) << hoya_error_detail();
        return Server(static_cast<hoya_server *>(server));
    }
    /* On 127.0.0.1, at a port of the system's choice. */
    Server Serve(House &of, const hoya_server_options *options = nullptr)
    {
        return Take(Create(of, "127.0.0.1", "0", options));
    }
    Server ServeUnix(House &of, const std::string &path, int expected = 0,
                     const hoya_server_options *options = nullptr)
    {
        hoya_server *server = nullptr;
        EXPECT_EQ(hoya_create_unix_server(this->loop, path.c_str(), House::Factory, &of, House::Destroy, options,
                                          &server),
                  expected)
            << path << ": " << hoya_error_detail();
        return Server(server);
    }
    Future WaitClosed(const Server &server)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_server_wait_closed(server.get(), &future), 0) << hoya_error_detail();
        return Future(future);
    }
    Future ServeForever(const Server &server, int expected = 0)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_server_serve_forever(server.get(), &future), expected) << hoya_error_detail();
        return Future(future);
    }

    static hoya_address NameOf(const Server &server, size_t index = 0)
    {
        hoya_address address = {};
        EXPECT_EQ(hoya_server_get_sockname(server.get(), index, &address), 0) << hoya_error_detail();
        return address;
    }
    static std::string TextOfName(const Server &server, size_t index = 0)
    {
        hoya_address name = NameOf(server, index);
        char text[HOYA_ADDRESS_TEXT_SIZE] = "?";
        hoya_address_format(reinterpret_cast<sockaddr *>(&name.storage), name.length, text, sizeof text);
        return text;
    }
    static int PortOf(const hoya_address &name)
    {
        return name.storage.ss_family == AF_INET6
                   ? ntohs(reinterpret_cast<const sockaddr_in6 *>(&name.storage)->sin6_port)
                   : ntohs(reinterpret_cast<const sockaddr_in *>(&name.storage)->sin_port);
    }

    /* A client of the test's: its descriptor, closed after the loop, or -errno. */
    int Dial(const hoya_address &address)
    {
        int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, reinterpret_cast<const sockaddr *>(&address.storage), address.length) < 0) {
            int code = -errno;
            close(fd);
            return code;
        }
        timeval soon = {5, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
        return this->Own(fd);
    }
    int Dial(const Server &server, size_t index = 0)
    {
        int fd = Dial(NameOf(server, index));
        EXPECT_GE(fd, 0) << strerror(-fd);
        return fd;
    }
    static hoya_address UnixAddress(const std::string &path)
    {
        hoya_address address;
        EXPECT_EQ(hoya_address_set_unix(&address, path.c_str()), 0);
        return address;
    }

    /* What came until now: "" if nothing, "end" at the end. */
    static std::string Hear(int fd)
    {
        char text[64];
        ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
        return n > 0 ? std::string(text, static_cast<size_t>(n)) : n == 0 || errno == ECONNRESET ? "end" : "";
    }
    void ExpectToHear(int fd, const std::string &text)
    {
        std::string heard;
        this->RunUntil([&] { return (heard = Hear(fd)) != ""; });
        EXPECT_EQ(heard, text);
    }
    /* There and back. */
    void ExpectEcho(int fd)
    {
        EXPECT_EQ(send(fd, "hello", 5, MSG_NOSIGNAL), 5);
        ExpectToHear(fd, "hello");
    }

    /* In a directory of the test's, both removed in the end. */
    std::string Path(const std::string &name)
    {
        char text[] = "/tmp/hoya-server-XXXXXX";
        if (directory_.empty()) directory_ = mkdtemp(text);
        paths_.push_back(directory_ + "/" + name);
        return paths_.back();
    }
    static bool Exists(const std::string &path)
    {
        struct stat status;
        return lstat(path.c_str(), &status) == 0;
    }
    /* A socket that somebody has left there. */
    static void LeaveSocket(const std::string &path)
    {
        hoya_address address = UnixAddress(path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        listen(fd, 1);
        close(fd);
    }

    /* What the loop reports goes here. */
    struct Reports {
        std::vector<std::string> texts;
        std::vector<int> codes;
        Work on_report;
        static int Take(hoya_loop *, const hoya_exception_context *context, void *arg)
        {
            auto self = static_cast<Reports *>(arg);
            self->texts.push_back(std::string(context->message) + ": " + (context->detail ? context->detail : ""));
            self->codes.push_back(context->code);
            if (self->on_report) self->on_report();
            return 0;
        }
    };
    void Collect() { EXPECT_EQ(hoya_loop_set_exception_handler(this->loop, Reports::Take, &reports), 0); }

    House house, other; /* live longer than the loop */
    Reports reports;

  private:
    std::vector<std::string> paths_;
    std::string directory_;
};

/* A resolver that answers when the test says so. */
struct Oracle {
    hoya_loop *loop;
    std::vector<Future> asked;
    Work on_ask; /* in the call, before it returns */
    static int Ask(hoya_loop *loop, const char *, const char *, const addrinfo *, void *arg, hoya_future **future)
    {
        auto self = static_cast<Oracle *>(arg);
        hoya_future *answer = nullptr;
        int rc = hoya_future_new(loop, &answer);
        if (rc >= 0) self->asked.emplace_back(hoya_future_ref(answer));
        if (self->on_ask) self->on_ask();
        *future = answer;
        return rc;
    }
    explicit Oracle(hoya_loop *of) : loop(of)
    {
        static const hoya_resolver_ops ops = {sizeof ops, "oracle", Ask, nullptr, nullptr};
        EXPECT_EQ(hoya_set_resolver(loop, &ops, this), 0) << hoya_error_detail();
    }
    void Answer(size_t index, const char *host)
    {
        hoya_address address;
        EXPECT_EQ(hoya_address_set(&address, host, "0"), 0);
        addrinfo one = {}, *copy = nullptr;
        one.ai_family = address.storage.ss_family;
        one.ai_socktype = SOCK_STREAM;
        one.ai_addr = reinterpret_cast<sockaddr *>(&address.storage);
        one.ai_addrlen = address.length;
        EXPECT_EQ(hoya_copy_addrinfo(&one, &copy), 0);
        auto destroy = [](void *list) { hoya_freeaddrinfo(static_cast<addrinfo *>(list)); };
        EXPECT_EQ(hoya_future_set_result(asked[index].get(), copy, destroy), 0);
    }
};

} // namespace hoya_test

#endif
