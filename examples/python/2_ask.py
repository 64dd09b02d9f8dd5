"""Questions: what a handler returns is the answer. A class keeps state."""
import asyncio

import iris


class Account:
    def __init__(self):
        self.balance = 0

    def on_msg(self, msg):
        self.balance += int(msg)
        return b"%d" % self.balance


async def main():
    async with iris.Runtime() as rt:
        account = rt.spawn(Account, name="account")
        print("waiting for it:", rt.ask_wait(account, b"100").decode())
        print("awaiting it:", (await rt.ask(account, b"-30")).decode())

        async def fee(msg):  # a handler may await; others go on meanwhile
            return await rt.ask(rt.whereis("account"), b"-1")

        print("through another actor:", (await rt.ask(rt.spawn(fee), b"")).decode())


asyncio.run(main())
