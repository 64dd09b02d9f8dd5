'use strict'

/** A message: a Buffer, whose `data` is itself (as programs of the original ask for it). */
class Message extends Uint8Array {
  constructor (memory, offset, length) { super(memory, offset, length) }

  get data () { return this }
}
Object.setPrototypeOf(Message.prototype, Buffer.prototype)
delete Message.prototype.constructor // it is a Buffer, to whoever asks

/** A message from outside the slab. */
function messageOf (buffer) {
  return new Message(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** What the runtime itself tells an actor. */
class JsSystemMessage {
  constructor (signal) {
    this.typeName = signal.typeName
    this.fromPid = signal.fromPid
    this.targetPid = signal.targetPid
    this.reason = signal.reason
    this.metadata = signal.metadata
  }
}

/** A message with its kind: `data` or `system`, the other one is null. */
class WrappedMessage {
  constructor (data, system) {
    this.data = data
    this.system = system
  }
}

function wrap (object) {
  return object instanceof Uint8Array
    ? new WrappedMessage(messageOf(object), null)
    : new WrappedMessage(null, new JsSystemMessage(object))
}

module.exports = { Message, messageOf, JsSystemMessage, WrappedMessage, wrap }
