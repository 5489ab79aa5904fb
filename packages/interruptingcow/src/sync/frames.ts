/** Ends a frame of Node's own code; what goes before may be any name. */
const NODE = /(?:\(|^at (?:async )?)node:[^()\s]+\)?$/

/** Where this package is, unless it is part of a bundle: there its own frames can't be told from others. */
const OWN_FOLDER = /^.*\/(?=sync\/frames\.js$)/.exec(String(import.meta.url))?.[0]

/** The frames that called a function which is running, the innermost first, without those of this package and of Node. */
export function stackAbove (running: Function): string[] {
  return framesAbove(running).filter(frame => !(OWN_FOLDER !== undefined && frame.includes(OWN_FOLDER)) && !NODE.test(frame))
}

/** Whether it was code of Node's own that called a function which is running. */
export function isCalledByNode (running: Function): boolean {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 1
  const [caller = ''] = framesAbove(running)
  Error.stackTraceLimit = stackTraceLimit
  return NODE.test(caller)
}

function framesAbove (running: Function): string[] {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, running)
  return String(holder.stack).split('\n').slice(1).map(frame => frame.trim())
}
