# SPDX-License-Identifier: MIT
#
# gdb/hoya.py: tasks, for gdb. `source hoya.py`, then `help hoya`.
#
# Everything is read from memory, nothing is called: it works in core files, too. It needs the library's debug
# information, of the build that runs. A task that waits has its registers on its own stack, as the switch left them
# (task/context_x86_64.S, context_aarch64.S); while a command looks at the task, gdb is told that those are who called
# the innermost frame.

import gdb
import gdb.unwinder

# Where the switch keeps them, in bytes from the saved stack pointer, and how many bytes it keeps.
SAVED = {
    "i386:x86-64": ("rsp", "rip", 64, {"r15": 8, "r14": 16, "r13": 24, "r12": 32, "rbx": 40, "rbp": 48, "rip": 56}),
    "aarch64": ("sp", "pc", 176, dict({"x%d" % (19 + i): 64 + 8 * i for i in range(12)}, pc=152)),
}


class TaskUnwinder(gdb.unwinder.Unwinder):
    """While a task is looked at: the frame below the innermost one is the task's."""

    def __init__(self):
        super().__init__("hoya task")
        self.sp = None

    def __call__(self, pending):
        if self.sp is None:
            return None
        sp_name, pc_name, size, saved = SAVED[pending.architecture().name()]
        sp, pc = pending.read_register(sp_name), pending.read_register(pc_name)
        if int(sp) != self.innermost:
            return None
        # Not by its own place: a caller that lies lower in memory gdb takes for a broken stack.
        info = pending.create_unwind_info(FrameId(gdb.Value(self.sp).cast(sp.type), pc))
        word = gdb.lookup_type("unsigned long")
        for name, offset in saved.items():
            at = gdb.Value(self.sp + offset).cast(word.pointer())
            info.add_saved_register(name, at.dereference())
        info.add_saved_register(sp_name, gdb.Value(self.sp + size).cast(sp.type))
        return info

    def look_at(self, sp, command):
        architecture = gdb.selected_frame().architecture().name()
        if architecture not in SAVED:
            raise gdb.GdbError("hoya: tasks of this architecture (%s) cannot be looked at" % architecture)
        before = gdb.selected_frame().level()
        newest = gdb.newest_frame()
        self.innermost = int(newest.read_register(SAVED[architecture][0]))
        self.sp = sp
        gdb.invalidate_cached_frames()
        try:
            gdb.newest_frame().older().select()  # the task's own innermost one
            return gdb.execute(command, False, True)
        finally:
            self.sp = None
            gdb.invalidate_cached_frames()
            frame = gdb.newest_frame()
            for _ in range(before):
                frame = frame.older() or frame
            frame.select()


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


unwinder = TaskUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, True)


# ---- tasks ---------------------------------------------------------------------------------------------------


def type_of(name):
    try:
        return gdb.lookup_type(name)
    except gdb.error:
        raise gdb.GdbError("hoya: there is no debug information of libhoya here (%s is not known)" % name)


def enumerator(name):
    """Of a constant; gdb knows those of enums that something uses."""
    return int(gdb.parse_and_eval(name))


def nodes(head, type_name, member):
    """What is in an intrusive list."""
    item = type_of(type_name)
    offset = next(field.bitpos // 8 for field in item.fields() if field.name == member)
    node = head["next"]
    while node != head.address:
        yield (node.cast(type_of("char").pointer()) - offset).cast(item.pointer()).dereference()
        node = node["next"]


def running_loops():
    """Those that the threads run now, once each."""
    loops, selected = [], gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            try:
                loop = gdb.parse_and_eval("hoya_loop_running")
            except gdb.error:  # the library is not in this thread's memory yet
                continue
            if int(loop) and loop not in loops:
                loops.append(loop)
    finally:
        if selected:
            selected.switch()
    return loops


def loops_of(argument):
    type_of("struct hoya_loop")
    if argument:
        return [gdb.parse_and_eval(argument).cast(type_of("struct hoya_loop").pointer())]
    loops = running_loops()
    if not loops:
        raise gdb.GdbError("hoya: no thread runs a loop now (a host waits for its guest?): say which loop, as an expression")
    return loops


def tasks_of(loop):
    data = loop["slots"][enumerator("HOYA_SLOT_TASKS")]["data"]
    if not int(data):
        return []
    bodies = nodes(data.cast(type_of("hoya_tasks").pointer()).dereference()["all"], "hoya_task_body", "of_loop")
    return [body["task"].dereference() for body in bodies]


def name_of(task):
    if int(task["naming"]) == enumerator("HOYA_NAME_NUMBER"):
        return "Task-%d" % int(task["number"])
    return task["name"].address.cast(type_of("char").pointer()).string()


def function_name(pointer):
    block = gdb.block_for_pc(int(pointer))
    if block and block.function:
        return block.function.name
    return str(pointer).split("<")[-1].rstrip(">")


def fiber_state(task):
    """As the constants of hoya_coroutine_state end; a task without a body has ended."""
    return str(task["body"]["fiber"]["state"]) if int(task["body"]) else "CLOSED"


def state_of(task):
    state, body = fiber_state(task), task["body"]
    if state.endswith("CREATED"):
        return "has not begun"
    if state.endswith("RUNNING"):
        return "runs"
    if not state.endswith("SUSPENDED"):
        return "has ended"
    if bool(task["queued"]) or not int(body["describe_wait"]):
        return "ready"
    what = function_name(body["describe_wait"])
    what = what.split("describe_")[-1].replace("_", " ")
    for other in tasks_of(task["future"]["loop"]):
        if what == "future" and int(body["waits_for"]) == int(other["future"].address):
            return "waits for %s" % name_of(other)
    return "waits (%s, %s)" % (what, body["waits_for"])


def find_task(text):
    """A task's name, of the loops that run, or an expression that is a hoya_task *."""
    for loop in running_loops():
        for task in tasks_of(loop):
            if name_of(task) == text:
                return task
    try:
        value = gdb.parse_and_eval(text)
    except gdb.error:
        raise gdb.GdbError('hoya: no task of the loops that run is called "%s", and it is no expression either' % text)
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_INT:
        value = value.cast(type_of("struct hoya_task").pointer())
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        value = value.dereference()
    if str(value.type.strip_typedefs()) != "struct hoya_task":
        raise gdb.GdbError("hoya: %s is no task" % text)
    return value


def look(task, command):
    state = fiber_state(task)
    if state.endswith("RUNNING"):
        raise gdb.GdbError("hoya: %s runs: it is in the backtrace of its thread" % name_of(task))
    if not state.endswith("SUSPENDED"):
        raise gdb.GdbError("hoya: %s %s: there is no stack to look at" % (name_of(task), state_of(task)))
    context = task["body"]["fiber"]["context"]
    if not any(field.name == "sp" for field in context.type.strip_typedefs().fields()):
        raise gdb.GdbError("hoya: this library switches stacks by ucontext, which this cannot look into")
    return unwinder.look_at(int(context["sp"]), command)


# ---- commands ------------------------------------------------------------------------------------------------


class Hoya(gdb.Command):
    """Tasks of hoya's loops.

hoya tasks [LOOP]          lists them
hoya bt [TASK]             where a task waits; without one: all that wait
hoya apply TASK COMMAND    runs a command of gdb's in the innermost frame of a task that waits

LOOP is an expression; without one: the loops that the threads run now.
TASK is a name, or an expression: a hoya_task *."""

    def __init__(self):
        super().__init__("hoya", gdb.COMMAND_STACK, gdb.COMPLETE_NONE, True)


class Tasks(gdb.Command):
    """hoya tasks [LOOP]: lists the tasks that have not ended, the oldest first."""

    def __init__(self):
        super().__init__("hoya tasks", gdb.COMMAND_STACK, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        for loop in loops_of(argument):
            tasks = tasks_of(loop)
            print("loop %s: %d tasks" % (loop, len(tasks)))
            for task in tasks:
                body = task["body"].dereference()
                owner = " of %s" % name_of(body["owner"].dereference()) if int(body["owner"]) else ""
                cancels = ", cancelled" if int(task["cancels"]) else ""
                print("  %s%s, %s: %s%s  (hoya_task *) %s" % (name_of(task), owner, function_name(body["fn"]),
                                                           state_of(task), cancels, task.address))


class Backtrace(gdb.Command):
    """hoya bt [TASK]: the backtrace of a task that waits; without TASK: of all of the loops that run."""

    def __init__(self):
        super().__init__("hoya bt", gdb.COMMAND_STACK, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if argument:
            tasks = [find_task(argument)]
        else:
            tasks = [task for loop in loops_of("") for task in tasks_of(loop)
                     if fiber_state(task).endswith("SUSPENDED")]
        for task in tasks:
            lines = look(task, "backtrace").splitlines()
            print("%s, %s" % (name_of(task), state_of(task)))
            # The first frame is the one that the thread is really in.
            print("\n".join(lines[next((i for i, line in enumerate(lines) if line.startswith("#1 ")), 0):]))


class Apply(gdb.Command):
    """hoya apply TASK COMMAND: runs a command in the innermost frame of a task that waits ("hoya apply Task-3 bt full")."""

    def __init__(self):
        super().__init__("hoya apply", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        words = argument.split(None, 1)
        if len(words) != 2:
            raise gdb.GdbError("hoya apply TASK COMMAND")
        print(look(find_task(words[0]), words[1]), end="")


Hoya()
Tasks()
Backtrace()
Apply()
