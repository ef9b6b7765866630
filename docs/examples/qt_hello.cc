#include <QtCore/QCoreApplication>
#include <cstdio>
#include <hoya/qt.hpp>
#include <unistd.h>

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    hoya::qt::Loop loop; /* in the application's own loop from here on */
    int rc = loop.add_reader(&app, 0, [](hoya_fd fd) {
        char line[256];
        ssize_t n = read(fd, line, sizeof line);
        if (n > 0) std::printf("you said %.*s", int(n), line);
        else QCoreApplication::quit();
    });
    if (rc < 0) return std::fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    return app.exec();
}
