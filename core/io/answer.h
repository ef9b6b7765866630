/* SPDX-License-Identifier: MIT
 *
 * io/answer.h: a question for the system's resolver, and its answer in our memory. Any thread: asking may block.
 */
#ifndef HOYA_IO_ANSWER_H
#define HOYA_IO_ANSWER_H

#include <hoya/future.h>
#include <hoya/resolver.h>
#include <netdb.h>

/* Of one of two kinds. Who asks lends the strings. */
typedef struct hoya_question {
    /* The answer, or a code with the whole question as the detail. */
    int (*ask)(const struct hoya_question *question, void **answer);
    hoya_destroy destroy; /* of the answer */
    const char *host, *service;
    struct addrinfo hints;
    hoya_address address;
    int flags;
} hoya_question;

hoya_question hoya_question_of_names(const char *host, const char *service, const struct addrinfo *hints);
hoya_question hoya_question_of_address(const struct sockaddr *address, socklen_t length, int flags);

/* `getaddrinfo of "localhost", "http"`, into `text`, which it returns. */
#define HOYA_QUESTION_SIZE 256
const char *hoya_question_text(const hoya_question *question, char text[HOYA_QUESTION_SIZE]);

/* The list of a lookup that is done, at least one address, each of IPv4 or IPv6 and whole, whoever has answered. It lives as
 * long as the future. Errors: the lookup's; HOYA_EAI_NONAME, HOYA_EAI_FAMILY. */
int hoya_answer_addresses(hoya_future *lookup, const struct addrinfo **list);

#endif
