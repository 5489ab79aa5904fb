import type { AnyNode, AssignmentProperty, Property } from 'acorn'
import { type Name, callbackName, callText, keptName } from './callback.ts'
import { chainOf, join, keyOf, type Rename, shortChain } from './name-words.ts'
import { type ClassNode, isClass, isFunction, type Path } from './parse.ts'

/**
 * What to call a function: by its own name, its class or object, or by where it is assigned or passed, and then with the
 * function around it: `Session.save`, `app.get('/x') handler`, `rows.map callback in loadUsers`.
 *
 * @param at The function's index in the path.
 * @param v8Name What V8 calls it: it also looks through calls to where their result is assigned.
 * @returns `undefined` where nothing tells more than that.
 */
export function nameFunction (path: Path, at: number, v8Name: string, rename: Rename): string | undefined {
  const asynchronous = v8Name === '' ? asyncFunctionAround(path, at, rename) : undefined
  if (asynchronous !== undefined) return nameFunction(path, asynchronous, v8Name, rename)
  const name = bareName(path, at, rename) ?? { text: 'anonymous', within: outer => `anonymous in ${outer}` }
  if (name.within === undefined) return name.text
  const { named, nearest } = outerName(path, at, rename)
  if (named !== undefined && v8Name === '') return name.within(named)
  const target = forWhat(path, at, rename)
  if (v8Name !== '' || (target !== undefined && name.text === RETURNED)) return target
  if (target !== undefined) return `${name.text} for ${target}`
  if (nearest !== undefined) return name.within(nearest)
  return name.text === 'anonymous' ? undefined : name.text
}

/** What compilers hand the body of an async function to where the language has none: TypeScript, esbuild, Babel. */
const AWAITERS = /^(?:__awaiter|__async|_?asyncToGenerator)(?:\$?\d+)?$/

/** The function that was written, where the one at an index is its body, which a compiler has made a generator. */
function asyncFunctionAround (path: Path, at: number, rename: Rename): number | undefined {
  const [node, call] = [path[at], path[at - 1]]
  if (call?.type !== 'CallExpression' || !isFunction(node) || !node.generator || !AWAITERS.test(chainOf(call.callee, rename).at(-1) ?? '')) return undefined
  const above = path.findLastIndex((outer, index) => index < at && isFunction(outer))
  return above < 0 ? undefined : above
}

/** What runs the fields of a class, its static blocks, or its constructor where none is written. */
export function nameOfClassCode (path: Path, at: number, v8Name: string, offset: number, rename: Rename): string {
  const node = path[at] as ClassNode
  const name = className(path, at, rename)
  const member = node.body.body.find(({ start }) => start === offset)
  if (member?.type === 'StaticBlock') return `${name} static block`
  if (v8Name === '<static_initializer>' || (member !== undefined && 'static' in member && member.static)) return `${name} static fields`
  const hasConstructor = node.body.body.some(member => member.type === 'MethodDefinition' && member.kind === 'constructor')
  return v8Name === '<instance_members_initializer>' || hasConstructor || member !== undefined ? `${name} fields` : `new ${name}`
}

/** The name that the source gives a function itself, which V8 then knows too: for telling whether it is the same source. */
export function writtenName (path: Path, at: number): string | undefined {
  const node = path[at]
  const parent = path[at - 1]
  if (isFunction(node) && node.id) return node.id.name
  if (parent?.type !== 'MethodDefinition' || parent.computed || parent.kind === 'constructor') return undefined
  const { key } = parent
  return key.type === 'Identifier' ? key.name : key.type === 'PrivateIdentifier' ? `#${key.name}` : undefined
}

function bareName (path: Path, at: number, rename: Rename): Name | undefined {
  const node = path[at]
  const held = nameOfValue(path, at, rename)
  if (!isFunction(node) || !node.id) return held
  const own = rename(node.id)
  // `res.send = function send`: the longer one tells more.
  return held !== undefined && held.within === undefined && held.text.endsWith(`.${own}`) ? held : { text: own }
}

/** The nearest function around that has a name of its own, and the nearest one of all: a mere callback's says less. */
function outerName (path: Path, at: number, rename: Rename): { named?: string | undefined, nearest?: string | undefined } {
  let nearest: string | undefined
  for (let above = at - 1; above >= 0; above--) {
    if (!isFunction(path[above])) continue
    const name = bareName(path, above, rename)
    if (name !== undefined && name.within === undefined) return { named: name.text, nearest }
    nearest ??= name?.text
  }
  return { nearest }
}

/** At a module's top level, what the call's result is called takes the place of the function around: `const f = memoize(() => …)`. */
function forWhat (path: Path, at: number, rename: Rename): string | undefined {
  for (let above = at - 1; above > 0 && path[above]?.type !== 'ExpressionStatement'; above--) {
    const node = path[above]
    if (node?.type !== 'CallExpression' && node?.type !== 'NewExpression') continue
    const name = nameOfValue(path, above, rename)
    if (name !== undefined && name.within === undefined) return name.text
  }
  return undefined
}

/** What the value at an index of the path is called by where it goes. */
function nameOfValue (path: Path, at: number, rename: Rename): Name | undefined {
  const node = path[at]
  const parent = path[at - 1]
  switch (parent?.type) {
    case 'VariableDeclarator': return parent.id.type === 'Identifier' ? { text: rename(parent.id) } : undefined
    case 'AssignmentPattern': return parent.left.type === 'Identifier' ? { text: rename(parent.left) } : undefined
    case 'AssignmentExpression': return { text: assignedName(path, at - 1, parent.left, rename) }
    case 'Property': return node === parent.value ? nameOfProperty(path, at - 1, parent, rename) : undefined
    case 'PropertyDefinition': return { text: join(className(path, at - 3, rename), keyOf(parent.key, parent.computed, rename)) }
    case 'MethodDefinition': {
      const owner = className(path, at - 3, rename)
      if (parent.kind === 'constructor') return { text: `new ${owner}` }
      return { text: accessor(parent.kind) + join(owner, keyOf(parent.key, parent.computed, rename)) }
    }
    case 'ExportDefaultDeclaration': return { text: 'export default' }
    case 'ArrayExpression': {
      const owner = nameOfValue(path, at - 1, rename)
      return owner && { ...owner, text: `${owner.text}[${parent.elements.indexOf(node as typeof parent.elements[number])}]` }
    }
    case 'ConditionalExpression': case 'LogicalExpression': case 'SequenceExpression': case 'AwaitExpression': case 'ChainExpression':
      return nameOfValue(path, at - 1, rename)
    case 'ReturnStatement': return returned()
    case 'ArrowFunctionExpression': return parent.body === node ? returned() : undefined
    case 'MemberExpression': return nameOfCallee(path, at, rename)
    case 'CallExpression': case 'NewExpression':
      if (parent.callee === node) return iife()
      if (!isFunction(node)) return nameOfArgument(path, at, rename)
      return nameOfKept(path, at, keptName(parent, rename), rename) ?? callbackName(parent, node, rename)
    default: return undefined
  }
}

function nameOfKept (path: Path, at: number, kept: string | undefined, rename: Rename): Name | undefined {
  if (kept === undefined) return undefined
  const held = nameOfValue(path, at - 1, rename)
  return held !== undefined && held.within === undefined && held.text.endsWith(`.${kept}`) ? held : { text: kept }
}

const RETURNED = 'returned function'

function returned (): Name {
  return { text: RETURNED, within: outer => `returned by ${outer}` }
}

function iife (): Name {
  return { text: 'IIFE', within: outer => `IIFE in ${outer}` }
}

function accessor (kind: string): string {
  return kind === 'get' || kind === 'set' ? `${kind} ` : ''
}

/** `(function () {}).bind(x)` is the function, `.call(x)` calls it at once. */
function nameOfCallee (path: Path, at: number, rename: Rename): Name | undefined {
  const member = path[at - 1]
  const call = path[at - 2]
  if (member?.type !== 'MemberExpression' || call?.type !== 'CallExpression' || call.callee !== member) return undefined
  const method = keyOf(member.property, member.computed, rename)
  if (method === 'call' || method === 'apply') return iife()
  return method === 'bind' ? nameOfValue(path, at - 2, rename) : undefined
}

/** An object or a list that is handed to a call: what is in it is called by the call. */
function nameOfArgument (path: Path, at: number, rename: Rename): Name | undefined {
  const call = path[at - 1]
  return call?.type === 'CallExpression' || call?.type === 'NewExpression' ? { text: callText(call, rename) } : undefined
}

function nameOfProperty (path: Path, at: number, property: Property | AssignmentProperty, rename: Rename): Name {
  const key = keyOf(property.key, property.computed, rename)
  const call = path[at - 2]
  const prefix = accessor(property.kind)
  if (call?.type === 'CallExpression' && path[at - 1] !== call.callee) {
    const [target, name] = call.arguments
    const callee = chainOf(call.callee, rename).join('.')
    if (target !== undefined && target !== path[at - 1]) {
      const owner = shortChain(chainOf(target, rename))
      if (callee === 'Object.assign' && owner !== '') return { text: prefix + join(owner, key) }
      if (callee === 'Object.defineProperty' && name !== undefined && name !== path[at - 1] && owner !== '') {
        return { text: accessor(key) + join(owner, keyOf(name, true, rename)) }
      }
    }
    return { text: `${prefix}${callText(call, rename)} ${key}` }
  }
  const owner = nameOfValue(path, at - 1, rename)
  if (owner?.within !== undefined || owner === undefined) return { text: prefix + key }
  // The address of a route is in the way of a dot: `app.get('/x') preHandler`.
  const text = owner.text.endsWith(')') ? `${owner.text} ${key}` : join(owner.text.replace(/\.prototype$/, ''), key)
  return { text: prefix + text }
}

function assignedName (path: Path, at: number, target: AnyNode, rename: Rename): string {
  const chain = chainOf(target, rename)
  if (chain.length < 2 || chain[0] !== 'this') return shortChain(chain) || 'anonymous'
  const owner = thisName(path, at, rename)
  return shortChain(owner === undefined ? chain : [owner, ...chain.slice(1)])
}

/** What `this` is: the class around, or the function, which is then a constructor of the old kind. */
function thisName (path: Path, at: number, rename: Rename): string | undefined {
  for (let above = at - 1; above >= 0; above--) {
    const node = path[above]
    if (isClass(node)) return className(path, above, rename)
    if (isFunction(node) && node.type !== 'ArrowFunctionExpression') {
      return path[above - 1]?.type === 'MethodDefinition' ? className(path, above - 3, rename) : node.id ? rename(node.id) : undefined
    }
  }
  return undefined
}

function className (path: Path, at: number, rename: Rename): string {
  const node = path[at]
  if (!isClass(node)) return ''
  const held = node.type === 'ClassExpression' ? nameOfValue(path, at, rename) : undefined
  if (held !== undefined && held.within === undefined && held.text !== 'export default') return held.text
  if (node.id) return rename(node.id)
  if (path[at - 1]?.type === 'ExportDefaultDeclaration') return 'default'
  const base = node.superClass ? shortChain(chainOf(node.superClass, rename)) : ''
  return base === '' ? '(class)' : `(class extends ${base})`
}
