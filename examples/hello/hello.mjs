export function onMessage (msg) { return 'hello, ' + msg }
