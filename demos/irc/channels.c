/* SPDX-License-Identifier: MIT
 *
 * channels.c: which channels we are in, and who else is. A connection that is lost leaves them here, without their
 * names: they are joined again.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

irc_channel *irc_find(const irc *me, const char *name)
{
    for (irc_channel *channel = me->channels; channel; channel = channel->next)
        if (irc_compare(channel->name, name) == 0) return channel;
    return NULL;
}

irc_channel *irc_add_channel(irc *me, const char *name)
{
    irc_channel *channel = irc_find(me, name);
    if (channel) return channel;
    channel = strlen(name) < IRC_NAME ? calloc(1, sizeof *channel) : NULL;
    if (!channel) return NULL;
    snprintf(channel->name, sizeof channel->name, "%s", name);
    irc_channel **last = &me->channels;
    while (*last) last = &(*last)->next;
    return *last = channel;
}

void irc_remove_channel(irc *me, irc_channel *channel)
{
    irc_channel **at = &me->channels;
    while (*at != channel) at = &(*at)->next;
    *at = channel->next;
    irc_clear_names(channel);
    free(channel->names);
    free(channel);
}

void irc_remove_channels(irc *me)
{
    while (me->channels) irc_remove_channel(me, me->channels);
}

/* ---- names ----------------------------------------------------------------------------------------------- */

/* Where it is, or belongs. */
static size_t place_of(const irc_channel *channel, const char *nick, bool *there)
{
    size_t low = 0, high = channel->count;
    *there = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = irc_compare(channel->names[middle], nick);
        if (order == 0) *there = true;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool irc_has_name(const irc_channel *channel, const char *nick)
{
    bool there;
    place_of(channel, nick, &there);
    return there;
}

void irc_add_name(irc_channel *channel, const char *nick)
{
    bool there;
    size_t place = place_of(channel, nick, &there);
    if (there || !nick[0]) return;
    if (channel->count == channel->room) {
        size_t room = channel->room ? 2 * channel->room : 16;
        char **names = realloc(channel->names, room * sizeof *names);
        if (!names) return;
        channel->names = names;
        channel->room = room;
    }
    char *name = strdup(nick);
    if (!name) return;
    memmove(channel->names + place + 1, channel->names + place, (channel->count - place) * sizeof *channel->names);
    channel->names[place] = name;
    channel->count++;
}

bool irc_remove_name(irc_channel *channel, const char *nick)
{
    bool there;
    size_t place = place_of(channel, nick, &there);
    if (!there) return false;
    free(channel->names[place]);
    channel->count--;
    memmove(channel->names + place, channel->names + place + 1, (channel->count - place) * sizeof *channel->names);
    return true;
}

void irc_clear_names(irc_channel *channel)
{
    while (channel->count) free(channel->names[--channel->count]);
}

size_t irc_names(const irc *me, const char *channel, const char *const **names)
{
    static const char *const none[1];
    const irc_channel *found = channel ? irc_find(me, channel) : NULL;
    *names = found && found->count ? (const char *const *)found->names : none;
    return found ? found->count : 0;
}
