/* SPDX-License-Identifier: MIT
 *
 * io/answer.c: a question for the system's resolver, and its answer in our memory.
 *
 * An answer is one block, so that it has one owner and one free: the list, its addresses and its names. Another resolver's is
 * looked at before anybody reads an address of it.
 *
 * The system takes names as bytes of the thread's locale, where it takes more than ASCII at all. Ours are UTF-8: for such a
 * question the thread is in C.UTF-8 while it asks.
 */
#include "io/answer.h"

#include <locale.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sys.h"
#include "io/names.h"

/* ---- memory ------------------------------------------------------------------------------------------------ */

/* Each node with its address behind it, which is aligned as the node is; then the names. */
static size_t node_size(const struct addrinfo *node)
{
    size_t align = _Alignof(struct addrinfo);
    return sizeof *node + (node->ai_addrlen + align - 1) / align * align;
}

int hoya_copy_addrinfo(const struct addrinfo *list, struct addrinfo **out)
{
    if (!list) return hoya_error_set(HOYA_EINVAL, "a copy of an empty list of addresses");
    size_t nodes = 0, names = 0;
    for (const struct addrinfo *node = list; node; node = node->ai_next) {
        nodes += node_size(node);
        if (node->ai_canonname) names += strlen(node->ai_canonname) + 1;
    }
    char *block = hoya_new_zeroed(nodes + names);
    if (!block) return HOYA_ENOMEM;
    char *next = block, *name = block + nodes;
    for (const struct addrinfo *node = list; node; node = node->ai_next) {
        struct addrinfo *copy = (struct addrinfo *)(void *)next;
        next += node_size(node);
        *copy = *node;
        copy->ai_addr = (struct sockaddr *)(copy + 1);
        if (node->ai_addrlen) memcpy(copy->ai_addr, node->ai_addr, node->ai_addrlen);
        if (node->ai_canonname) copy->ai_canonname = strcpy(name, node->ai_canonname), name += strlen(name) + 1;
        if (node->ai_next) copy->ai_next = (struct addrinfo *)(void *)next;
    }
    *out = (struct addrinfo *)(void *)block;
    return 0;
}

void hoya_freeaddrinfo(struct addrinfo *list)
{
    hoya_free(list);
}

static int copy_names(const char *host, const char *service, void **out)
{
    size_t host_size = strlen(host) + 1;
    hoya_name_info *info = hoya_new_zeroed(sizeof *info + host_size + strlen(service) + 1);
    if (!info) return HOYA_ENOMEM;
    char *text = (char *)(info + 1);
    info->host = strcpy(text, host);
    info->service = strcpy(text + host_size, service);
    *out = info;
    return 0;
}

/* ---- the locale -------------------------------------------------------------------------------------------- */

/* (locale_t)0 if this thread's will do. */
static int enter_utf8(bool wanted, locale_t *utf8, locale_t *before)
{
    *utf8 = wanted ? newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0) : (locale_t)0;
    if (wanted && !*utf8) return HOYA_EAI_IDN;
    if (wanted) *before = uselocale(*utf8);
    return 0;
}

static void leave_utf8(locale_t utf8, locale_t before)
{
    if (!utf8) return;
    int saved = errno;
    uselocale(before);
    freelocale(utf8);
    errno = saved;
}

/* ---- asking ------------------------------------------------------------------------------------------------ */

static int fail(const hoya_question *question, int rc)
{
    char text[HOYA_QUESTION_SIZE];
    if (rc == HOYA_ENOMEM) return hoya_error_nomem();
    return rc < 0 ? hoya_error_set(rc, "%s: %s", hoya_question_text(question, text), hoya_strerror(rc)) : rc;
}

static int ask_for_addresses(const hoya_question *question, void **answer)
{
    locale_t utf8, before = (locale_t)0;
    struct addrinfo *found = NULL, *copy;
    struct addrinfo hints = question->hints;
    if (question->host && !hoya_is_ascii(question->host)) hints.ai_flags |= HOYA_LIBC_AI_IDN;
    int rc = enter_utf8(hints.ai_flags & HOYA_LIBC_AI_FLAGS, &utf8, &before);
    if (rc >= 0) {
        int eai = hoya_sys_getaddrinfo(question->host, question->service, &hints, &found);
        rc = hoya_code_of_eai(eai);
        leave_utf8(utf8, before);
    }
    if (rc < 0) return fail(question, rc);
    rc = hoya_copy_addrinfo(found, &copy);
    freeaddrinfo(found);
    if (rc >= 0) *answer = copy;
    return rc;
}

static int ask_for_names(const hoya_question *question, void **answer)
{
    locale_t utf8, before = (locale_t)0;
    char host[NI_MAXHOST], service[NI_MAXSERV];
    int rc = enter_utf8(question->flags & HOYA_LIBC_NI_FLAGS, &utf8, &before);
    if (rc >= 0) {
        int eai =
            hoya_sys_getnameinfo((const struct sockaddr *)&question->address.storage, question->address.length,
                                 host, sizeof host, service, sizeof service, question->flags);
        rc = hoya_code_of_eai(eai);
        leave_utf8(utf8, before);
    }
    return rc < 0 ? fail(question, rc) : copy_names(host, service, answer);
}

static void free_addresses(void *answer)
{
    hoya_freeaddrinfo(answer);
}

hoya_question hoya_question_of_names(const char *host, const char *service, const struct addrinfo *hints)
{
    return (hoya_question){
        .ask = ask_for_addresses, .destroy = free_addresses, .host = host, .service = service, .hints = *hints};
}

hoya_question hoya_question_of_address(const struct sockaddr *address, socklen_t length, int flags)
{
    hoya_question question = {
        .ask = ask_for_names, .destroy = hoya_free, .address = {.length = length}, .flags = flags};
    memcpy(&question.address.storage, address, length);
    return question;
}

const char *hoya_question_text(const hoya_question *question, char text[HOYA_QUESTION_SIZE])
{
    char host[HOYA_QUOTED_SIZE], service[HOYA_QUOTED_SIZE], address[HOYA_ADDRESS_TEXT_SIZE];
    if (question->ask == ask_for_names) {
        int rc = hoya_address_format((const struct sockaddr *)&question->address.storage, question->address.length,
                                     address, sizeof address);
        snprintf(text, HOYA_QUESTION_SIZE, "getnameinfo of %s", rc < 0 ? "an address" : address);
        return text;
    }
    snprintf(text, HOYA_QUESTION_SIZE, "getaddrinfo of %s%s%s",
             question->host ? hoya_quoted(question->host, host) : "no host", question->service ? ", " : "",
             question->service ? hoya_quoted(question->service, service) : "");
    return text;
}

/* ---- what has been answered ------------------------------------------------------------------------------- */

static bool is_whole(const struct addrinfo *node)
{
    size_t size = node->ai_family == AF_INET    ? sizeof(struct sockaddr_in)
                  : node->ai_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                : 0;
    return size && node->ai_addr && node->ai_addrlen == size && node->ai_addr->sa_family == node->ai_family;
}

int hoya_answer_addresses(hoya_future *lookup, const struct addrinfo **list)
{
    void *answer;
    int rc = hoya_future_result(lookup, &answer);
    if (rc < 0) return rc;
    if (!answer) return hoya_error_set(HOYA_EAI_NONAME, "the resolver's answer is empty");
    for (const struct addrinfo *node = answer; node; node = node->ai_next)
        if (!is_whole(node))
            return hoya_error_set(HOYA_EAI_FAMILY,
                                  "the resolver's answer is no address of IPv4 or IPv6: family %d, %u bytes",
                                  node->ai_family, (unsigned)node->ai_addrlen);
    *list = answer;
    return 0;
}
