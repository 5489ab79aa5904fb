import type { AnyNode, CallExpression, NewExpression, ObjectExpression } from 'acorn'
import { chainOf, keyOf, quote, type Rename, shortChain, stringOf } from './name-words.ts'

/** A name; where it alone says too little, also how it is said together with the function around it. */
export interface Name {
  readonly text: string
  readonly within?: (outer: string) => string
}

type Call = CallExpression | NewExpression

const ROUTES = new Set(['get', 'post', 'put', 'patch', 'delete', 'del', 'head', 'options', 'trace', 'all', 'route', 'use', 'ws', 'sse'])
const LISTENERS = new Set(['on', 'once', 'off', 'addListener', 'prependListener', 'prependOnceListener', 'addEventListener'])

/** What the arguments of a call are called by: `app.get('/x')`, `new Promise`, `rows.map`. */
export function callText (call: Call, rename: Rename): string {
  const chain = chainOf(call.callee, rename)
  const callee = shortChain(chain) || (call.callee.type.endsWith('FunctionExpression') ? 'IIFE' : 'call')
  const subject = subjectOf(call, rename)
  return `${call.type === 'NewExpression' ? 'new ' : ''}${callee}${subject === undefined ? '' : `(${quote(subject)})`}`
}

/** The first argument's text, or the address in its options, as in `app.route({ method: 'GET', url: '/x' })`. */
function subjectOf (call: Call, rename: Rename): string | undefined {
  const [first] = call.arguments
  const text = stringOf(first)
  if (text !== undefined || first?.type !== 'ObjectExpression') return text
  const url = propertyText(first, ['url', 'path'], rename)
  if (url === undefined) return undefined
  const method = propertyText(first, ['method'], rename)
  return method === undefined ? url : `${method} ${url}`
}

function propertyText (object: ObjectExpression, names: readonly string[], rename: Rename): string | undefined {
  for (const property of object.properties) {
    if (property.type === 'Property' && names.includes(keyOf(property.key, property.computed, rename))) return stringOf(property.value)
  }
  return undefined
}

/** The name that esbuild keeps of a function: `__name(() => {}, 'save')`. */
export function keptName (call: Call, rename: Rename): string | undefined {
  const chain = chainOf(call.callee, rename)
  return chain.length === 1 && chain[0] === '__name' ? stringOf(call.arguments[1]) : undefined
}

/** What to call a function that is handed to a call. */
export function callbackName (call: Call, argument: AnyNode, rename: Rename): Name {
  const chain = chainOf(call.callee, rename)
  const method = chain.at(-1) as string
  const subject = stringOf(call.arguments[0])
  const text = callText(call, rename)
  const inside = (text: string): Name => ({ text, within: outer => `${text} in ${outer}` })
  if (call.type === 'NewExpression') return inside(method === 'Promise' ? 'new Promise executor' : `${text} callback`)
  if (method === 'addHook' && subject !== undefined) return { text: `${subject} hook` }
  if (chain.length > 1) {
    if (ROUTES.has(method) && subject !== undefined && /^[/*]/.test(subject)) {
      const isLast = call.arguments.at(-1) === argument && method !== 'use'
      return { text: `${text} ${isLast ? 'handler' : 'middleware'}` }
    }
    if (LISTENERS.has(method) && subject !== undefined) return { text: `${text} listener` }
    if (method === 'register') return { text: `${text} plugin` }
    if (method === 'then' || method === 'catch' || method === 'finally') return inside(`.${method} callback`)
  }
  return inside(`${text} callback`)
}
