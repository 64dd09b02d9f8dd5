"""New code for an actor that runs: what was sent before is the old code's, what is sent after the new one's."""
import iris


class Price:
    def __init__(self):
        self.sold = 0

    def on_msg(self, msg):
        self.sold += 1
        return b"%d sold, 10 each" % self.sold


OldPrice = Price


class Price:  # the same name: its attributes cross
    def on_msg(self, msg):
        self.sold += 1
        return b"%d sold, now 8 each" % self.sold


with iris.Runtime() as rt:
    pid = rt.spawn(OldPrice)
    print(rt.ask_wait(pid, b"").decode())
    print("version", rt.swap(pid, Price))
    print(rt.ask_wait(pid, b"").decode())
    print("version", rt.rollback(pid))
    print(rt.ask_wait(pid, b"").decode())
