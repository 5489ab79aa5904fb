import type { Frame, Profile, Run } from '@geordi/profile'

/** Names of functions from the outside to the inside, and microseconds. */
export type TestSample = readonly [stack: readonly string[], duration: number]

/** A profile made by hand. Names in parentheses are V8's markers; a name's URL can be given. */
export function profileOf (samples: readonly TestSample[], run: Run = {}, urlOf = (name: string) => `file:///srv/app/src/${name}.js`): Profile {
  const frames: Frame[] = [{ name: '(root)', url: '', line: 0, column: 0 }]
  const frameIds = new Map<string, number>()
  const frame = [0]
  const parent = [-1]
  const nodes = new Map<string, number>()
  const addNode = (above: number, name: string) => {
    const key = `${above} ${name}`
    let node = nodes.get(key)
    if (node !== undefined) return node
    let id = frameIds.get(name)
    if (id === undefined) {
      const marker = name.startsWith('(')
      const place = marker ? { url: '', line: 0, column: 0 } : { url: urlOf(name), line: frames.length + 1, column: 2 }
      frameIds.set(name, id = frames.push({ name, ...place }) - 1)
    }
    frame.push(id)
    nodes.set(key, node = parent.push(above) - 1)
    return node
  }
  const node = samples.map(([stack]) => stack.reduce(addNode, 0))
  return {
    frames,
    tree: { frame: Int32Array.from(frame), parent: Int32Array.from(parent) },
    samples: { node: Int32Array.from(node), duration: Float64Array.from(samples, ([, duration]) => duration) },
    startTime: 0,
    run
  }
}

/** Numbers that look random and are the same every time. */
export function randomNumbers (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
}

/** A profile of a few dozen functions that call each other every which way, with recursion. */
export function tangledProfile (seed: number, functions = 60, run: Run = {}): Profile {
  const random = randomNumbers(seed)
  const samples = Array.from({ length: 400 }, (): TestSample => {
    const stack = ['main']
    let at = 0
    for (let depth = 2 + random(14); depth > 0; depth--) {
      at = random(5) === 0 ? random(functions) : Math.min(functions - 1, at + 1 + random(6))
      stack.push(`function${at}`)
    }
    return [stack, 500 + random(1000)]
  })
  return profileOf(samples, run)
}

export const FULL_RUN: Run = {
  request: { method: 'GET', url: '/slow/cpu?ms=500', capturedAt: Date.UTC(2026, 10, 23, 8, 24, 45), by: 'picard' },
  response: { statusCode: 200, bytes: 45_678, contentType: 'text/html; charset=utf-8' },
  process: { hostname: 'worker-3', pid: 4711, node: 'v22.12.0', app: 'demo@1.4.2', root: '/srv/app' },
  profiler: { engine: 'v8-profiler-next', interval: 1000 },
  wallTime: 1_000_000
}
