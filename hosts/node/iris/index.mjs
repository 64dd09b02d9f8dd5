import iris from './index.js'

export const {
  NodeRuntime, Runtime, JsMailbox, WrappedMessage, JsSystemMessage,
  IrisError, NoSuchActor, MailboxFull, NodeDown, SwapRejected, TimeoutError, ready, version
} = iris
export default iris
