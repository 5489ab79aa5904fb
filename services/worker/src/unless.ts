/** Waits for a promise unless the signal comes first; rejects with its reason then, and what the promise does counts no more. */
export async function unless<Result> (signal: AbortSignal, promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  signal.throwIfAborted()
  let stop = () => {}
  try {
    return await Promise.race([promise, new Promise<never>((_resolve, reject) => {
      stop = () => reject(signal.reason)
      signal.addEventListener('abort', stop)
    })])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
