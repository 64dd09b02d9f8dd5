"""Other nodes: the calls of a runtime that go over the network. A pid that they give is one like any other."""
import asyncio
import json

from . import _events
from ._iris import Error, MailboxFull

_RESOLVE, _WHEREIS, _PING = 0, 1, 2
_OK, _DEAD, _FULL, _LARGE, _EMPTY = 0, 2, 3, 4, 5  # as in plugin.h


class NodeDown(Error):
    """The node cannot be reached, or there is no link to it now."""


def _json(**options):
    return json.dumps(options) if any(value is not None for value in options.values()) else None


def _found(what, result, pid, why):
    if result == _OK:
        return pid or None
    raise NodeDown(f"{what}: {why or ('no answer in time' if result == _EMPTY else 'no link to that node')}")


class Mesh:
    """What a runtime has for it."""

    _watches = None  # number -> what is called

    def _mesh_begin(self, settings):
        """The settings of Runtime(mesh=..): a manifest's "mesh"."""
        settings = dict(settings)
        listen, peers = settings.pop("listen", ()), settings.pop("peers", ())
        if settings:
            self._mesh_configure(json.dumps(settings))
        for addr in [listen] if isinstance(listen, str) else listen:
            self.listen(addr) if isinstance(addr, str) else self.listen(addr["address"], compat=addr.get("compat"))
        for addr in [peers] if isinstance(peers, str) else peers:
            self.connect(addr) if isinstance(addr, str) else self.connect(addr["address"], compat=addr.get("compat"))

    def _mesh_end(self):
        for number in list(self._watches or ()):
            self.unmonitor_remote(number)

    async def _mesh_answer(self, what, at, name, timeout):
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def settle(*answer):
            if not future.done():
                future.set_result(answer)

        self._mesh_ask(what, at, name, timeout, lambda *answer: loop.call_soon_threadsafe(settle, *answer))
        return await future

    # ---- links ----

    def listen(self, addr, *, compat=None):
        """Other nodes reach this one at "HOST:PORT" from now on; port 0 is any that is free. Where it is:
        "127.0.0.1:40213". Raises iris.Error with a reason: the port is taken, or what is sent could be read by
        others. compat: "iris-0.3" or "table", for programs of the original."""
        return self._mesh_listen(addr, _json(compat=compat))

    def unlisten(self, addr):
        """Nobody new comes in there; links stay. False: it did not listen there."""
        return self._mesh_unlisten(addr)

    def connect(self, addr, *, compat=None):
        """Keeps a link to this address from now on: it is dialled again whenever it is lost. Returns at once; who
        wants to know calls is_node_up()."""
        self._mesh_connect(addr, _json(compat=compat))

    def disconnect(self, addr):
        """No longer. False: it was not wanted."""
        return self._mesh_disconnect(addr)

    def nodes(self):
        """Every node that is known or wanted, as dicts: node, address, state ("up", "dialling", "greeting",
        "backoff", "gone"), since, rtt and silent (seconds), sent, received, acknowledged, refused, lost, why, .."""
        return self._mesh_nodes()

    @property
    def node(self):
        """The name of this node."""
        return self._mesh_self()[0]

    @property
    def address(self):
        """By which it is reached; None: it does not listen."""
        return self._mesh_self()[1] or None

    # ---- names ----

    def resolve_remote(self, addr, name, timeout=None):
        """The pid of who has this name or path at the node there ("HOST:PORT", or the name of one that is up). None:
        nobody has it. Raises iris.NodeDown: the node cannot be reached, or does not answer within timeout
        seconds (by default 5). In an async handler: await resolve_remote_py()."""
        return _found(f"{name} at {addr}", *self._mesh_wait(_RESOLVE, addr, name, timeout))

    async def resolve_remote_py(self, addr, name, timeout=None):
        """The same, awaited."""
        return _found(f"{name} at {addr}", *await self._mesh_answer(_RESOLVE, addr, name, timeout))

    def whereis(self, name):
        """The pid of who has this name, or None. "NAME@NODE" is looked for at that node, which takes a round trip."""
        pid = super().whereis(name)
        if pid is not None or "@" not in name:
            return pid
        return _found(name, *self._mesh_wait(_WHEREIS, "", name, None))

    resolve = whereis

    async def find(self, name, timeout=None):
        """The pid of who has this name: "NAME@NODE" at that node; "NAME" on this one, else at whichever that is up.
        None: nobody."""
        return _found(name, *await self._mesh_answer(_WHEREIS, "", name, timeout))

    def find_wait(self, name, timeout=None):
        """The same without asyncio."""
        return _found(name, *self._mesh_wait(_WHEREIS, "", name, timeout))

    # ---- mail ----

    def send_remote(self, addr, pid, data):
        """As send(), by the address: pid is what resolve_remote() gave, or the number that the actor has on its own
        node. True: it is on its way, in order, and arrives or is counted as a dead letter. Never a silent no:
        iris.NodeDown (no link, or pid is of an earlier run of that node), iris.MailboxFull (more waits for that
        node than its queue holds), ValueError (too large)."""
        result = self._mesh_send(addr, pid, data)
        if result == _DEAD and not self._mesh_is_up(addr) and self._reach(addr):
            result = self._mesh_send(addr, pid, data)
        if result == _OK:
            return True
        if result == _FULL:
            raise MailboxFull(f"send_remote: more waits for {addr} than its queue holds")
        if result == _LARGE:
            raise ValueError(f"send_remote: data is above the limit of a message; found {len(data)} bytes")
        why = "actor %d is of an earlier run of that node, or of another; resolve it again" % pid
        raise NodeDown(f"send_remote: {addr}: {why if self._mesh_is_up(addr) else 'no link to that node'}")

    def _reach(self, addr):
        """The first send to an address dials it. In a handler nobody waits: the next one may find it there."""
        is_outside = self.self() is None
        if is_outside and self._mesh_wait(_PING, addr, "", None)[0] != _OK:
            return False
        self._mesh_connect(addr, None)
        return is_outside

    def proxy(self, addr, name, *, path=None, on_loss="down"):
        """An actor of this node that stands for `name` at that address or node: what it is sent goes there, the answer
        to who asked. It is resolved again whenever its node comes back. Meanwhile what it is sent is dead letters;
        who is linked with it gets one EXIT when the node goes (on_loss="down"), or nothing (on_loss="stay")."""
        if on_loss not in ("down", "stay"):
            raise ValueError(f'on_loss must be "down" or "stay", not {on_loss!r}')
        return self._mesh_proxy(path, addr, name, on_loss == "stay")

    # ---- nodes that come and go ----

    def is_node_up(self, addr, timeout=None):
        """Whether the node there answers, within timeout seconds (by default 5). In a handler, which must not wait:
        whether there is a link to it."""
        if self.self() is not None:
            return self._mesh_is_up(addr)
        return self._mesh_wait(_PING, addr, "", timeout)[0] == _OK

    def monitor_remote(self, addr, pid=None, callback=None):
        """From now on each change of the node there is told: it came up, or it went; if it is up now, that too. An
        address is dialled, and linked from now on. With a callback: callback(event), on a thread of the runtime, which must not block. In a pull or observed actor
        without one: as a system message, PONG (up) and DOWN (gone). Else through events(): "node_up" and
        "node_down". A number for unmonitor_remote(); None in an actor, with which it ends. pid is not looked at:
        for one actor use link()."""
        if callback is None and self.self() is not None:
            return self._mesh_monitor(addr)

        def told(node, address, up, why):
            text = f"node {node or '?'} at {address or addr} " + ("is up" if up else f"went: {why}")
            event = _events.Event("node_up" if up else "node_down", "info" if up else "warning", None, None, text)
            callback(event) if callback is not None else _events.tell(self, event)

        number = self._mesh_watch(addr, told)
        if self._watches is None:
            self._watches = {}
        self._watches[number] = told
        return number

    def unmonitor_remote(self, number):
        """No change is told any more. False: it was over already."""
        told = (self._watches or {}).pop(number, None)
        return told is not None and self._mesh_unwatch(number, told)
