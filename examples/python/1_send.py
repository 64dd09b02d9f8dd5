"""Actors in this process: a function each, called with one message after the other."""
import iris

with iris.Runtime() as rt:
    printer = rt.spawn(lambda msg: print("printer got", msg.decode()))

    def shout(msg):
        rt.send(printer, msg.upper())

    shouter = rt.spawn(shout)
    for word in (b"one", b"two", b"three"):
        rt.send(shouter, word)

    for pid in (shouter, printer):  # each handles what it was sent, then ends
        rt.stop(pid)
        rt.join(pid)
