import iris from './index.js'

export const {
  NodeRuntime, Runtime, JsMailbox, WrappedMessage, JsSystemMessage,
  IrisError, NoSuchActor, MailboxFull, NodeDown, SwapRejected, TimeoutError, version
} = iris
export default iris
