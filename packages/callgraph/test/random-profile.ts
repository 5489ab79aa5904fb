import type { Frame, Profile } from '@geordi/profile'

/** Numbers from 0 to 1. */
export type Random = () => number

/** The same numbers for the same seed, so that a failure can be had again (mulberry32). */
export function randomOf (seed: number): Random {
  let state = seed * 0x9e3779b9 >>> 0
  return () => {
    state = state + 0x6d2b79f5 >>> 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
}

const MARKERS = ['(root)', '(idle)', '(garbage collector)', '(program)']
const FUNCTIONS = 12

/** A call tree of twelve functions, of the application, packages, Node and V8, that recur as they like, and its samples. */
export function randomProfile (random: Random): Profile {
  const urls = ['file:///srv/app/a.js', 'file:///srv/app/b.js', 'file:///srv/app/node_modules/p/i.js', 'file:///srv/app/node_modules/q/i.js', 'node:fs', '']
  const frames: Frame[] = [
    ...MARKERS.map(name => ({ name, url: '', line: 0, column: 0 })),
    ...Array.from({ length: FUNCTIONS }, (_, at) => ({ name: `f${at}`, url: urls[Math.floor(random() * urls.length)] as string, line: at + 1, column: 1 }))
  ]
  const frame = [0, 1, 2, 3]
  const parent = [-1, 0, 0, 0]
  const children = new Map<string, number>()
  const size = Math.floor(random() * 120)
  for (let at = 0; at < size; at++) {
    const above = random() < 0.2 ? 0 : Math.max(0, frame.length - 1 - Math.floor(random() * 6))
    if (above > 0 && above < MARKERS.length) continue
    const which = MARKERS.length + Math.floor(random() * FUNCTIONS)
    const key = `${above} ${which}`
    if (children.has(key)) continue
    frame.push(which)
    children.set(key, parent.push(above) - 1)
  }
  const count = Math.floor(random() * 200)
  return {
    frames,
    tree: { frame: Int32Array.from(frame), parent: Int32Array.from(parent) },
    samples: {
      node: Int32Array.from({ length: count }, () => Math.floor(random() * frame.length)),
      duration: Float64Array.from({ length: count }, () => random() < 0.1 ? 0 : Math.floor(random() * 5000))
    },
    startTime: 0,
    run: random() < 0.5 ? {} : { process: { hostname: 'h', pid: 1, node: 'v20.20.2', root: '/srv/app' } }
  }
}
