import type { Frame } from '@geordi/profile'
import { formatTime } from '../numbers.ts'
import { add, largest } from '../sums.ts'
import type { Look } from '../waits/look.ts'
import { below, isLoader, placesOf } from './cpu.ts'
import type { Finding } from './finding.ts'
import { SERIALISING } from './thresholds.ts'
import { isWorthTelling } from './worth.ts'

/** Frames that the recorder gives to V8's own functions; a profile without it counts their time as their caller's own. */
const JSON_URL = 'node:JSON'

const JSON_PACKAGES = new Set(['fast-json-stringify', 'secure-json-parse', 'json-bigint', 'superjson', 'flatted', 'devalue', 'safe-stable-stringify', 'fast-safe-stringify'])

const TEMPLATE_PACKAGES = new Set([
  'ejs', 'eta', 'handlebars', 'mustache', 'nunjucks', 'pug', 'liquidjs', 'edge.js', 'art-template', 'dot', 'marko', 'squirrelly', 'twig', 'react-dom', '@vue/server-renderer', 'preact-render-to-string'
])

/** Fastify's own that read a body before the handler is called, and take what it has returned. */
const AROUND_HANDLER = /\/node_modules\/fastify\/lib\/(?:content-type-parser|handle-request|wrap-thenable)\.js$/

/** JSON and templates that have a large share of the time. */
export function findSerialising (look: Look): Finding[] {
  const isJson = (frame: Frame) => frame.url === JSON_URL || JSON_PACKAGES.has(packageOf(frame))
  const isTemplate = (frame: Frame) => TEMPLATE_PACKAGES.has(packageOf(frame))
  return [
    ...find(look, isJson, 'JSON', 'Send or read fewer fields, keep what is asked for often as text, or tell Fastify the answer\'s schema.'),
    ...find(look, isTemplate, 'Templates', 'Show fewer rows at a time, or keep parts of the page that seldom change.')
  ]
}

/** The package of a script in a node_modules folder; `''` for others. There are many frames, so no more is asked than the URL. */
function packageOf ({ url }: Frame): string {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? ''
}

function find (look: Look, isOne: (frame: Frame) => boolean, what: string, advice: string): Finding[] {
  const { time, callers, entries } = below(look, isOne, isLoader, ({ url }) => AROUND_HANDLER.test(url))
  if (!isWorthTelling(look, time, SERIALISING)) return []
  const { frames } = look.profile
  const byName = new Map<string, number>()
  for (const [index, time] of entries) {
    const frame = frames[index] as Frame
    add(byName, frame.url === JSON_URL ? `JSON.${frame.name}` : packageOf(frame), time)
  }
  const names = largest(byName).slice(0, 3).map(([name, time]) => `${name} ${formatTime(time)}`)
  return [{
    cause: 'serialising',
    title: `${what === 'JSON' ? 'Making and reading JSON' : 'Filling templates'}: ${formatTime(time)}`,
    subject: '',
    evidence: [names.join('; ')],
    numbers: { total: time },
    places: placesOf(look, callers),
    time,
    share: time / look.wall,
    advice
  }]
}
