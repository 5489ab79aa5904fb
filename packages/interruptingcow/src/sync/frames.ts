const OWN_FOLDER = new URL('..', import.meta.url).href

/** The frames that called a function which is running, the innermost first, without those of this package and of Node. */
export function stackAbove (running: Function): string[] {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, running)
  return String(holder.stack).split('\n').slice(1).map(frame => frame.trim())
    .filter(frame => !frame.includes(OWN_FOLDER) && !/[( ]node:/.test(frame))
}
