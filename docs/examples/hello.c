#include <hoya/glib.h>
#include <hoya/hoya.h>
#include <stdio.h>
#include <unistd.h>

static void on_line(hoya_fd fd, uint32_t events, void *loop)
{
    (void)events;
    char line[256];
    ssize_t n = read(fd, line, sizeof line);
    if (n > 0) printf("you said %.*s", (int)n, line);
    else hoya_loop_stop(loop);
}

int main(void)
{
    hoya_loop *loop;
    hoya_set_event_loop_policy(hoya_glib_policy()); /* names the host; without this line: native */
    if (hoya_get_event_loop(&loop) < 0 || hoya_loop_add_reader(loop, 0, on_line, loop, NULL) < 0)
        return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    hoya_loop_run_forever(loop);
    hoya_loop_close(loop);
    return hoya_set_event_loop(NULL);
}
