import type { Frame, Profile, Run } from '@geordi/profile'

/** Names of functions from the outside to the inside, such as `a>b>c`, and microseconds. */
export type TestSample = readonly [stack: string, duration: number]

/**
 * A profile made by hand from stacks. A function's place is made up from its name; names in parentheses are V8's markers.
 * Equal stacks are one node of the tree, as V8 makes it.
 */
export function profileOf (samples: readonly TestSample[], run: Run = {}): Profile {
  const frames: Frame[] = []
  const frameIds = new Map<string, number>()
  const frame: number[] = []
  const parent: number[] = []
  const nodes = new Map<string, number>()
  const addNode = (above: number, name: string) => {
    const key = `${above} ${name}`
    let node = nodes.get(key)
    if (node !== undefined) return node
    let id = frameIds.get(name)
    if (id === undefined) frameIds.set(name, id = frames.push(frameOf(name, frames.length)) - 1)
    frame.push(id)
    node = parent.push(above) - 1
    nodes.set(key, node)
    return node
  }
  addNode(-1, '(root)')
  const node = samples.map(([stack]) => stack === '(root)' ? 0 : stack.split('>').reduce(addNode, 0))
  return {
    frames,
    tree: { frame: Int32Array.from(frame), parent: Int32Array.from(parent) },
    samples: { node: Int32Array.from(node), duration: Float64Array.from(samples, ([, duration]) => duration) },
    startTime: 0,
    run
  }
}

function frameOf (name: string, at: number): Frame {
  return name.startsWith('(') ? { name, url: '', line: 0, column: 0 } : { name, url: `file:///app/${name}.js`, line: at + 1, column: 1 }
}
