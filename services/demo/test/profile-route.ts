import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolveEntry } from '@geordi/worker'

/** What is used of the findings in `geordi profile … -o x.json`. */
interface Finding {
  readonly cause: string
  readonly title: string
  readonly subject: string
  readonly numbers: Readonly<Record<string, number>>
  readonly places: ReadonlyArray<{ readonly label: string, readonly location: string }>
  readonly share: number
}

/** What is used of the graph in the same file: see `CallGraphFile` of @geordi/callgraph. Times are microseconds. */
interface Graph {
  readonly run: { readonly wallTime: number }
  readonly times: { readonly total: number }
  readonly nodes: ReadonlyArray<{ readonly name: string, readonly self: number, readonly total: number }>
  readonly other: { readonly self: number }
  readonly outside: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}

export interface Profiled extends Graph {
  /** What the route says itself; times are milliseconds. */
  readonly counted: Readonly<Record<string, number>>
}

const SERVER = fileURLToPath(new URL('../src/server.js', import.meta.url))

/** What is used of the worker's own parts, of which it exports none. */
interface Parts {
  readonly ReplayChild: { start (options: object): Promise<Child> }
  readonly composeRequest: (given: { url: string, headers: string[] }) => Promise<object>
  readonly importRecording: (raw: Uint8Array) => object
  readonly producer: (recording: object, outputs: readonly object[]) => (format: 'json') => Promise<string>
}

interface Child {
  prepare (request: object): Promise<void>
  replay (request: object): Promise<{ readonly profile: Uint8Array }>
  close (): Promise<void>
}

/** What `geordi profile` is made of, without a process of its own for each command. */
const worker = import.meta.resolve('@geordi/worker')
const files = ['replay-child.js', 'compose-request.js', 'produce.js'].map(file => worker.replace(/index\.js$/, file))
const profiler = pathToFileURL(createRequire(worker).resolve('@geordi/profiler')).href
const parts = await Promise.all([...files, profiler].map(async file => await import(file) as object))
const { ReplayChild, composeRequest, importRecording, producer } = Object.assign({}, ...parts) as Parts

/** Runs one request in a replay process, with the environment of this one. */
export async function profileRoute (url: string): Promise<Profiled> {
  let output = ''
  const child = await ReplayChild.start({
    app: resolveEntry(SERVER, []),
    interval: 1000,
    waits: true,
    values: false,
    startTimeout: 120_000,
    closeTimeout: 60_000,
    output: new Writable({ write (chunk, _encoding, done) { output += String(chunk); done() } })
  })
  let recorded: Uint8Array
  try {
    const request = await composeRequest({ url, headers: [] })
    await child.prepare(request)
    recorded = (await child.replay(request)).profile
  } finally {
    // Then all of its output is there.
    await child.close()
  }
  const graph = JSON.parse(await producer({ profile: importRecording(recorded), settings: { graph: {}, sources: true } }, [])('json')) as Graph
  const line = output.split('\n').find(line => line.includes('"counted":'))
  assert.ok(line !== undefined, output)
  return { ...graph, counted: (JSON.parse(line) as { counted: Readonly<Record<string, number>> }).counted }
}
