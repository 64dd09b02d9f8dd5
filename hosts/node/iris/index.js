'use strict'
const native = require('./native.js')
const { NodeRuntime } = require('./runtime.js')
const { JsMailbox } = require('./mailbox.js')
const { WrappedMessage, JsSystemMessage } = require('./message.js')
const { IrisError, NoSuchActor, MailboxFull, NodeDown, SwapRejected, TimeoutError } = require('./errors.js')

exports.NodeRuntime = NodeRuntime
exports.Runtime = NodeRuntime
exports.JsMailbox = JsMailbox
exports.WrappedMessage = WrappedMessage
exports.JsSystemMessage = JsSystemMessage
exports.IrisError = IrisError
exports.NoSuchActor = NoSuchActor
exports.MailboxFull = MailboxFull
exports.NodeDown = NodeDown
exports.SwapRejected = SwapRejected
exports.TimeoutError = TimeoutError
/** Outside of `iris run` nobody waits for it. */
exports.ready = () => native.runtime?.ready()
exports.version = () => native.version
