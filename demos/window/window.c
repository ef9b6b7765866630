/* SPDX-License-Identifier: MIT
 *
 * window.c: the log of a window, and the names of its pictures (window.h).
 */
#include "window/window.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

FILE *window_log_file;

bool window_log_open(const char *path)
{
    return !window_log_file && (window_log_file = fopen(path, "we")) != NULL;
}

void window_log_close(void)
{
    if (window_log_file) fclose(window_log_file);
    window_log_file = NULL;
}

void window_log(const char *what, const char *which, const char *text)
{
    if (!window_log_file) return;
    fprintf(window_log_file, "%s\t%s\t%s\n", what, which ? which : "-", text ? text : "");
    fflush(window_log_file);
}

int window_descriptors(void)
{
    DIR *all = window_log_file ? opendir("/proc/self/fd") : NULL;
    int count = 0;
    for (struct dirent *one; all && (one = readdir(all));) {
        char what[16];
        if (readlinkat(dirfd(all), one->d_name, what, sizeof what) > 0 && *what != '/') count++;
    }
    if (all) closedir(all);
    return count;
}

void window_log_descriptors(int before)
{
    char text[64];
    snprintf(text, sizeof text, "%d before, %d after", before, window_descriptors());
    window_log("descriptors", NULL, text);
}

void window_picture_path(const char *all, const char *what, char path[WINDOW_PATH])
{
    const char *dot = strrchr(all, '.');
    int length = (int)(dot && !strchr(dot, '/') ? dot - all : (long)strlen(all));
    snprintf(path, WINDOW_PATH, "%.*s-%s.png", length, all, what);
}
