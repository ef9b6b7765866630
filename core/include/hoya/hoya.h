/* SPDX-License-Identifier: MIT
 *
 * hoya/hoya.h: everything.
 */
#ifndef HOYA_HOYA_H
#define HOYA_HOYA_H

#include <hoya/base.h>
#include <hoya/combine.h>
#include <hoya/coroutine.h>
#include <hoya/datagram.h>
#include <hoya/error.h>
#include <hoya/executor.h>
#include <hoya/future.h>
#include <hoya/group.h>
#include <hoya/host.h>
#include <hoya/loop.h>
#include <hoya/net.h>
#include <hoya/pipe.h>
#include <hoya/policy.h>
#include <hoya/queue.h>
#include <hoya/resolver.h>
#include <hoya/run.h>
#include <hoya/selector.h>
#include <hoya/sock.h>
#include <hoya/stream.h>
#include <hoya/sync.h>
#include <hoya/task.h>
#include <hoya/transport.h>
#include <hoya/wait.h>

#endif
