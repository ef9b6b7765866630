/* SPDX-License-Identifier: MIT
 *
 * conformance/notes.h: what protocols of connections (net.h) and of datagrams (datagrams.h) have in common: they note what
 * they hear, and answer what the test says.
 */
#ifndef HOYA_TESTS_NOTES_H
#define HOYA_TESTS_NOTES_H

#include "conformance.h"

namespace hoya_test
{

/* Notes "NAME made", "NAME pause", "NAME resume", "NAME lost CODE", "NAME released" into the trace. It is the argument of the
 * protocol, to which the class that derives from it adds what comes in. */
template <typename T> class Notes
{
  public:
    using Answer = std::function<int(T *)>;

    Notes(const Notes &) = delete;
    Notes &operator=(const Notes &) = delete;

    /* What it answers; each may be empty. */
    Answer on_made, on_pause, on_resume;
    std::function<void(T *, int)> on_lost;
    Work on_released;

    T *transport = nullptr; /* from connection_made to connection_lost */
    bool notes_data = true;
    int lost = 0;     /* how often */
    int code = 1;     /* of connection_lost */
    int released = 0; /* how often */

  protected:
    Notes(Trace *trace, std::string name) : trace_(trace), name_(std::move(name)) {}
    ~Notes() = default;
    void Note(const std::string &what) { trace_->push_back(name_ + " " + what); }

    static int Made(T *transport, void *arg)
    {
        Of(arg)->transport = transport;
        Of(arg)->Note("made");
        return Of(arg)->on_made ? Of(arg)->on_made(transport) : 0;
    }
    static int Pause(T *transport, void *arg)
    {
        Of(arg)->Note("pause");
        return Of(arg)->on_pause ? Of(arg)->on_pause(transport) : 0;
    }
    static int Resume(T *transport, void *arg)
    {
        Of(arg)->Note("resume");
        return Of(arg)->on_resume ? Of(arg)->on_resume(transport) : 0;
    }
    static void Lost(T *transport, int code, void *arg)
    {
        Of(arg)->Note(code ? std::string("lost ") + hoya_error_name(code) : "lost");
        Of(arg)->lost++;
        Of(arg)->code = code;
        if (Of(arg)->on_lost) Of(arg)->on_lost(transport, code);
        Of(arg)->transport = nullptr;
    }
    static void Released(void *arg)
    {
        Of(arg)->Note("released");
        Of(arg)->released++;
        Of(arg)->transport = nullptr; /* a loop that closes says nothing else */
        if (Of(arg)->on_released) Of(arg)->on_released();
    }

  private:
    static Notes *Of(void *arg) { return static_cast<Notes *>(arg); }

    Trace *trace_;
    std::string name_;
};

} // namespace hoya_test

#endif
