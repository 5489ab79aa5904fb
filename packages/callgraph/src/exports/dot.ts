import { outsideTimes, type GraphEdge, type GraphNode } from '../graph.ts'
import type { NamedCallGraph } from '../named.ts'
import { labelFrame } from '../wait-frames.ts'

/**
 * The call graph in Graphviz' language: `dot -Tsvg graph.dot`. Boxes are functions, darker by total time, their text larger by self
 * time; rounded and blue is what was waited for; bold is the critical path, dashed are calls through functions that aren't shown; what is beside the graph is a box of its own.
 */
export function exportDot (named: NamedCallGraph): string {
  const { nodes, edges } = named.graph
  return [
    'digraph "geordi" {',
    `  graph [label=${quote(caption(named))}, labelloc=t, fontname="Helvetica", fontsize=14]`,
    '  node [shape=box, style="filled", fontname="Helvetica", margin="0.1,0.05"]',
    '  edge [fontname="Helvetica", fontsize=10]',
    ...nodes.map((node, id) => nodeLine(named, node, id)),
    ...restLine(named),
    ...edges.map(edge => edgeLine(named, edge)),
    '}',
    ''
  ].join('\n')
}

function caption ({ profile: { run }, recording, graph: { times, options: { time } }, whole, notes }: NamedCallGraph): string[] {
  const title = run.request === undefined ? run.title ?? 'CPU profile' : `${run.request.method} ${run.request.url}`
  const part = times.total < whole.times.total ? `, a part of ${ms(whole.times.total)}` : ''
  // With recorded waits, samples are only known of all of it.
  const known = part !== '' && recording.waits !== undefined ? ' in the whole recording' : ''
  return [title, `100 % is the ${COUNTED[time]}, ${ms(times.total)}${part}; ${times.busySamples} samples${known}`, ...notes]
}

const COUNTED = { cpu: 'busy time', wait: 'time spent waiting', wall: 'wall time' } as const

function nodeLine ({ profile, graph: { times } }: NamedCallGraph, node: GraphNode, id: number): string {
  const { name, location, versionedLocation, wait } = labelFrame(profile, node.frame)
  const percent = (time: number) => share(time, times.total)
  const label = [name, ...location === '' ? [] : [location], wait === undefined ? `${percent(node.self)} of ${percent(node.total)}` : `${percent(node.total)}, ${wait.count} ×`]
  const tooltip = [name, versionedLocation, `self ${ms(node.self)}`, `total ${ms(node.total)}`]
  return `  n${id} [label=${quote(label)}, tooltip=${quote(tooltip)}, fontsize=${(9 + 15 * Math.sqrt(node.selfShare)).toFixed(1)}, ` +
    `${wait === undefined ? '' : 'style="filled,rounded", '}fillcolor="${wait === undefined ? colour(node.totalShare) : WAIT_COLOUR}"${node.critical ? ', penwidth=3' : ''}]`
}

/** Whatever of the time no node has. */
function restLine ({ graph }: NamedCallGraph): string[] {
  const { times, other } = graph
  const { gc, program, recording, idle } = outsideTimes(graph)
  const parts = [
    ...other.functions > 0 ? [`${hidden(other.functions)} shown: ${share(other.self, times.total)}`] : [],
    ...gc > 0 ? [`garbage collection: ${share(gc, times.total)}`] : [],
    ...program > 0 ? [`outside of functions: ${share(program, times.total)}`] : [],
    ...recording > 0 ? [`recording the waits: ${share(recording, times.total)}`] : [],
    ...idle > 0 ? [`idle: ${share(idle, times.total)}`] : []
  ]
  if (parts.length === 0) return []
  return [`  other [label=${quote(['other', ...parts])}, style="filled,dashed", fillcolor="#ffffff", fontsize=10]`]
}

function hidden (count: number): string {
  return count === 1 ? '1 function that isn\'t' : `${count} functions that aren't`
}

function edgeLine ({ graph: { times } }: NamedCallGraph, { from, to, time, share: part, residual, critical }: GraphEdge): string {
  const label = [share(time, times.total)]
  return `  n${from} -> n${to} [label=${quote(label)}, tooltip=${quote([ms(time)])}, weight=${1 + Math.round(part * 20)}, ` +
    `penwidth=${(0.5 + 4 * part).toFixed(2)}${residual ? ', style=dashed' : ''}${critical ? ', color="#b00020"' : ''}]`
}

const WAIT_COLOUR = '#bcd9f2'

/** White to a soft red: black text stays readable on it. */
function colour (part: number): string {
  const level = Math.min(1, Math.max(0, part))
  const mix = (to: number) => Math.round(255 + (to - 255) * level).toString(16).padStart(2, '0')
  return `#${mix(0xf0)}${mix(0x80)}${mix(0x70)}`
}

/**
 * Lines as a quoted string, in which only `"` needs a backslash; but labels know escapes of their own (`\N` is the node's name) and
 * decode entities (`&eacute;`), and Graphviz takes NUL for the file's end.
 */
function quote (lines: readonly string[]): string {
  const text = lines.map(line => clean(line).replaceAll('&', '&amp;').replaceAll('\\', '\\\\').replaceAll('"', '\\"'))
  return `"${text.join('\\n')}"`
}

const LONGEST = 200

/** Control characters, those that turn the direction of text, and halves of characters say nothing. */
function clean (text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .replace(/[\u202a-\u202e\u2066-\u2069]|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])/g, '\ufffd')
  const characters = Array.from(line)
  return characters.length <= LONGEST ? line : `${characters.slice(0, LONGEST / 2).join('')}…${characters.slice(-LONGEST / 2).join('')}`
}

function ms (time: number): string {
  return `${(time / 1000).toFixed(time < 10_000 ? 2 : 0)} ms`
}

function share (time: number, all: number): string {
  return `${(all > 0 ? 100 * time / all : 0).toFixed(1)} %`
}
