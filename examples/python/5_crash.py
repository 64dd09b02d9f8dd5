"""A fault ends one actor. Who is linked with it hears why."""
import logging

import iris

logging.getLogger("iris").setLevel(logging.CRITICAL)  # else it prints the traceback


def divide(msg):
    return b"%d" % (100 // int(msg))


with iris.Runtime() as rt:
    observer = rt.spawn_observed_handler(10)
    divider = rt.spawn(divide)
    rt.link(observer, divider)
    print(rt.ask_wait(divider, b"4").decode())
    rt.send(divider, b"0")
    rt.join(divider)

    exit = rt.selective_recv_blocking(observer, lambda msg: isinstance(msg, iris.PySystemMessage))
    print(exit.type_name, exit.reason, exit.metadata.splitlines()[0])
    print("alive:", rt.is_alive(divider))
