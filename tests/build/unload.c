/* SPDX-License-Identifier: MIT
 *
 * build/unload.c LIBRARY: loads the library, uses a loop of it, unloads it, and forks: a fork handler that was left
 * behind would be called in a place where there is no code any more.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*make)(const void *options, void **loop);
typedef void (*let_go)(void *loop);

static int fork_once(void)
{
    pid_t child = fork();
    if (child == 0) _exit(0);
    int status = -1;
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    void *loop = NULL;
    if (!library) return printf("%s\n", dlerror());
    make loop_new = (make)dlsym(library, "hoya_loop_new");
    let_go loop_unref = (let_go)dlsym(library, "hoya_loop_unref");
    if (!loop_new || !loop_unref || loop_new(NULL, &loop) < 0 || fork_once())
        return printf("before the unloading\n");
    loop_unref(loop);
    dlclose(library);
    if (dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD)) return printf("the library was not unloaded\n");
    return fork_once();
}
