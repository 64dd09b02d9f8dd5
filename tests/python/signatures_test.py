"""The calls of the original, by place and by name, with its defaults: its programs run unchanged."""
import inspect
import unittest

import iris

NEEDS = inspect.Parameter.empty

# call: its arguments in order; ("name", default) where one may be left out
WRAPPER = {
    "spawn": ["handler", ("budget", 100), ("release_gil", False)],
    "spawn_py_handler_bounded": ["handler", "budget", "capacity", ("release_gil", False)],
    "spawn_with_mailbox": ["handler", ("budget", 100)],
    "spawn_child": ["parent", "handler", ("budget", 100), ("release_gil", False)],
    "spawn_child_with_mailbox": ["parent", "handler", ("budget", 100)],
    "spawn_child_pool": ["parent", "handler", "workers", ("budget", 100), ("release_gil", False)],
    "spawn_virtual": ["handler", ("budget", 100), ("idle_timeout_ms", None)],
    "path_supervise_with_factory": ["path", "pid", "factory", "strategy"],
    "set_release_gil_limits": ["max_threads", "pool_size"],
    "rollback_behavior": ["pid", ("steps", 1)],
    "set_overflow_policy": ["pid", "policy", ("target", None)],
    "selective_recv": ["pid", "matcher", ("timeout", None)],
    "selective_recv_blocking": ["pid", "matcher", ("timeout", None)],
}
INNER = {
    "spawn_py_handler": ["py_callable", "budget", ("release_gil", None)],
    "spawn_py_handler_bounded": ["py_callable", "budget", "capacity", ("release_gil", None)],
    "spawn_with_mailbox": ["py_callable", "budget"],
    "spawn_child": ["parent", "py_callable", ("budget", 100), ("release_gil", None)],
    "spawn_child_py_handler": ["parent", "py_callable", "budget", ("release_gil", None)],
    "spawn_child_with_mailbox": ["parent", "py_callable", "budget"],
    "spawn_child_pool": ["parent", "py_callable", "workers", ("budget", 100), ("release_gil", False)],
    "spawn_virtual_py_handler": ["py_callable", "budget", ("idle_timeout_ms", None)],
    "spawn_observed_handler": ["budget"],
    "path_supervise_with_factory": ["path", "pid", "py_factory", "strategy"],
    "supervise_with_factory": ["pid", "py_factory", "strategy"],
    "selective_recv_observed_py": ["pid", "matcher", ("timeout", None)],
}
BOTH = {
    "spawn_with_path_observed": ["budget", "path"],
    "send": ["pid", "data"],
    "send_named": ["name", "data"],
    "send_buffer": ["pid", "buffer_id"],
    "send_after": ["pid", "delay_ms", "data"],
    "send_interval": ["pid", "interval_ms", "data"],
    "cancel_timer": ["timer_id"],
    "stop": ["pid"],
    "join": ["pid"],
    "is_alive": ["pid"],
    "mailbox_size": ["pid"],
    "hot_swap": ["pid", "new_handler"],
    "behavior_version": ["pid"],
    "register": ["name", "pid"],
    "unregister": ["name"],
    "resolve": ["name"],
    "whereis": ["name"],
    "register_path": ["path", "pid"],
    "unregister_path": ["path"],
    "whereis_path": ["path"],
    "list_children": ["prefix"],
    "list_children_direct": ["prefix"],
    "watch_path": ["prefix"],
    "watch": ["pid", "strategy"],
    "link": ["a", "b"],
    "unlink": ["a", "b"],
    "children_count": [],
    "child_pids": [],
    "create_path_supervisor": ["path"],
    "remove_path_supervisor": ["path"],
    "path_supervisor_watch": ["path", "pid"],
    "path_supervisor_children": ["path"],
    "get_messages": ["pid"],
    "listen": ["addr"],
    "resolve_remote": ["addr", "name"],
    "resolve_remote_py": ["addr", "name"],
    "send_remote": ["addr", "pid", "data"],
    "monitor_remote": ["addr", "pid"],
    "is_node_up": ["addr"],
    "set_release_gil_strict": ["strict"],
}


class Signatures(unittest.TestCase):
    def setUp(self):
        self.rt = iris.Runtime(workers=1)
        self.addCleanup(self.rt.close)

    def agrees(self, call, name, wanted):
        has = inspect.signature(call).parameters
        listed = list(has.values())
        for at, argument in enumerate(wanted):
            argument, default = argument if isinstance(argument, tuple) else (argument, NEEDS)
            with self.subTest(call=name, argument=argument):
                self.assertIn(argument, has)
                self.assertIs(listed[at], has[argument], "its place")
                self.assertEqual(has[argument].kind, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                if default is not NEEDS:
                    self.assertEqual(has[argument].default, default)
        for more in listed[len(wanted):]:  # ours: never in the way
            self.assertNotEqual(more.default, NEEDS, f"{name}({more})")

    def test_of_the_runtime(self):
        for name, wanted in {**BOTH, **WRAPPER}.items():
            self.agrees(getattr(self.rt, name), name, wanted)

    def test_of_what_is_inside(self):
        self.assertIsInstance(self.rt._inner, iris.PyRuntime)
        for name, wanted in {**BOTH, **INNER}.items():
            self.agrees(getattr(self.rt._inner, name), name, wanted)

    def test_a_runtime_of_the_inner_kind_stands_alone(self):
        rt = iris.PyRuntime()
        pid = rt.spawn_py_handler(py_callable=lambda m: m, budget=10, release_gil=False)
        self.assertIsNone(rt.stop(pid=pid))
        self.assertIsNone(rt.join(pid=pid))
        rt.close()

    def test_names_reach_the_calls(self):
        rt, inner = self.rt, self.rt._inner
        pid = rt.spawn(handler=lambda m: None, budget=50, release_gil=False)
        other = inner.spawn_with_mailbox(py_callable=lambda mailbox: mailbox.recv(timeout=None), budget=100)
        self.assertIs(rt.is_alive(pid=pid), True)
        self.assertIs(rt.send(pid=pid, data=b"x"), True)
        self.assertIs(rt.send(data=b"x", pid=pid), True)
        self.assertIsNone(rt.register(name="n", pid=pid))
        self.assertIs(rt.send_named(name="n", data=b"x"), True)
        self.assertEqual((rt.whereis(name="n"), rt.resolve(name="n")), (pid, pid))
        self.assertIsNone(rt.unregister(name="n"))
        self.assertIsNone(rt.register_path(path="/a/b", pid=pid))
        self.assertEqual(rt.whereis_path(path="/a/b"), pid)
        self.assertEqual(rt.list_children(prefix="/a"), [("/a/b", pid)])
        self.assertEqual(rt.list_children_direct(prefix="/a"), [("/a/b", pid)])
        self.assertIsNone(rt.create_path_supervisor(path="/a"))
        self.assertIsNone(rt.path_supervisor_watch(path="/a", pid=pid))
        self.assertEqual(rt.path_supervisor_children(path="/a"), [pid])
        self.assertIsNone(rt.remove_path_supervisor(path="/a"))
        self.assertEqual(rt.path_supervisor_children(path="/a"), [])
        self.assertIsNone(rt.watch_path(prefix="/a"))
        self.assertEqual((rt.child_pids(), rt.children_count()), ([pid], 1))
        self.assertIsNone(rt.unregister_path(path="/a/b"))
        self.assertIsNone(rt.link(a=pid, b=other))
        self.assertIsNone(rt.unlink(a=pid, b=other))
        self.assertIsNone(rt.watch(pid=pid, strategy="RestartOne"))
        self.assertIsNone(rt.hot_swap(pid=pid, new_handler=print))
        self.assertIsInstance(rt.behavior_version(pid=pid), int)
        self.assertIsInstance(rt.mailbox_size(pid=pid), int)
        timer = rt.send_after(pid=pid, delay_ms=3600_000, data=b"x")
        self.assertIs(rt.cancel_timer(timer_id=timer), True)
        observed = inner.spawn_observed_handler(budget=10)
        self.assertEqual(rt.get_messages(pid=observed), [])
        self.assertIsNone(rt.set_release_gil_strict(strict=False))
        self.assertIsNone(rt.set_release_gil_limits(max_threads=256, gil_pool_size=8))
        self.assertIsNone(rt.set_release_gil_limits(max_threads=256, pool_size=8))
        self.assertIsNone(rt.stop(pid=pid))
        self.assertIsNone(rt.stop(pid=other))

    def test_what_is_no_argument_is_refused(self):
        for call in (lambda: self.rt.send(1), lambda: self.rt.send(1, b"", 2), lambda: self.rt.send(1, b"", to=2),
                     lambda: self.rt.stop(), lambda: self.rt.stop(who=1), lambda: self.rt.stop(1, pid=1),
                     lambda: self.rt.is_alive("1"), lambda: self.rt.whereis(1), lambda: self.rt.register("a"),
                     lambda: self.rt.send(self.rt.spawn(print), "text"), lambda: self.rt.spawn(5),
                     lambda: self.rt.spawn_with_mailbox(None), lambda: self.rt.link(1.5, 2)):
            with self.assertRaises(TypeError):
                call()

    def test_the_compiled_module_has_the_calls_too(self):
        import iris.iris as compiled

        pid = self.rt.spawn(lambda m: None)
        compiled.register_path(self.rt._inner, "/x/y", pid)
        self.assertEqual(compiled.whereis_path(self.rt._inner, "/x/y"), pid)
        self.assertEqual(compiled.list_children(self.rt, "/x"), [("/x/y", pid)])
        self.assertEqual(compiled.list_children_direct(self.rt, "/x"), [("/x/y", pid)])
        compiled.create_path_supervisor(self.rt, "/x")
        compiled.path_supervisor_watch(self.rt, "/x", pid)
        self.assertEqual(compiled.path_supervisor_children(self.rt, "/x"), [pid])
        compiled.remove_path_supervisor(self.rt, "/x")
        compiled.unregister_path(self.rt, "/x/y")
        self.assertTrue(compiled.spawn_with_path_observed(self.rt, 10, "/x/z"))
        self.assertIsNone(compiled.watch_path(self.rt, "/x"))
        self.assertIs(compiled.PyRuntime, iris.PyRuntime)


if __name__ == "__main__":
    unittest.main()
