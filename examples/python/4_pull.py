"""Pull actors take their messages themselves: in a thread each, or as coroutines by the thousand."""
import threading

import iris

done = threading.Event()


def order(mailbox):
    item = mailbox.recv()
    print("order:", item.decode())
    confirm = mailbox.selective_recv(lambda msg: msg.startswith(b"confirm"), timeout=5.0)
    print("in time:", confirm is not None)
    print("what came before:", mailbox.recv().decode())
    done.set()


with iris.Runtime() as rt:
    pid = rt.spawn_with_mailbox(order)
    for msg in (b"tea", b"hurry", b"confirm tea"):
        rt.send(pid, msg)
    done.wait()

    count = []

    async def one(mailbox):
        async for msg in mailbox:
            count.append(msg)

    pids = [rt.spawn_with_mailbox(one) for _ in range(1000)]
    for pid in pids:
        rt.send(pid, b"x")
    for pid in pids:
        rt.stop(pid)
    for pid in pids:
        rt.join(pid)
    print("a thousand coroutines got", len(count))
