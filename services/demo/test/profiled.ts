import { Session } from 'node:inspector/promises'

/** Runs something under the CPU profiler; gives its result and how many samples each function has by its name. */
export async function profiled<T> (work: () => Promise<T>): Promise<{ result: T, samples: Map<string, number> }> {
  const inspector = new Session()
  inspector.connect()
  try {
    await inspector.post('Profiler.enable')
    await inspector.post('Profiler.start')
    const result = await work()
    const { profile } = await inspector.post('Profiler.stop')
    const samples = new Map<string, number>()
    for (const { callFrame: { functionName }, hitCount = 0 } of profile.nodes) samples.set(functionName, (samples.get(functionName) ?? 0) + hitCount)
    return { result, samples }
  } finally {
    inspector.disconnect()
  }
}
