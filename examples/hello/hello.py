def on_msg(msg):
    return b"hello, " + msg
