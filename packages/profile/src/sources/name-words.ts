import type { AnyNode } from 'acorn'

/** What an identifier was called before it was minified. */
export type Rename = (node: { readonly start: number, readonly name: string }) => string

const LONGEST_STRING = 40
const LONGEST_NAME = 90

/** A text in quotes, its middle left out where it is long. */
export function quote (text: string): string {
  return `'${elideMiddle(text.replace(/\s+/g, ' '), LONGEST_STRING)}'`
}

/** A name of bearable length. */
export function shortName (name: string): string {
  return elideMiddle(name, LONGEST_NAME)
}

function elideMiddle (text: string, length: number): string {
  if (text.length <= length) return text
  const end = Math.floor((length - 1) / 2)
  return `${text.slice(0, length - 1 - end)}…${text.slice(-end)}`.replace(/\p{Surrogate}/gu, '')
}

/** The text of a string, also of a template: what is computed is `…`. */
export function stringOf (node: AnyNode | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node?.type !== 'TemplateLiteral') return undefined
  return node.quasis.map(({ value }) => value.cooked ?? value.raw).join('…')
}

/** The parts of `a.b.c`; the first is empty where it is no plain name, as in `f().c`. */
export function chainOf (node: AnyNode, rename: Rename): string[] {
  const parts: string[] = []
  for (let at: AnyNode = node; ;) {
    if (at.type === 'ChainExpression' || at.type === 'ParenthesizedExpression') at = at.expression
    else if (at.type === 'MemberExpression') {
      parts.push(keyOf(at.property, at.computed, rename))
      at = at.object
    } else if (at.type === 'SequenceExpression' && parts.length === 0) {
      // `(0, module_1.name)`: how TypeScript and Babel call what was imported by its name.
      const called = at.expressions.at(-1) as AnyNode
      return called.type === 'MemberExpression' ? [keyOf(called.property, called.computed, rename)] : chainOf(called, rename)
    } else return [firstOf(at, rename), ...parts.reverse()]
  }
}

function firstOf (node: AnyNode, rename: Rename): string {
  switch (node.type) {
    case 'Identifier': return rename(node)
    case 'ThisExpression': return 'this'
    case 'Super': return 'super'
    case 'ArrayExpression': return '[]'
    default: return ''
  }
}

/** A property's key as it is written after an object: `key`, `#key`, `[computed]`. */
export function keyOf (key: AnyNode, computed: boolean, rename: Rename): string {
  if (key.type === 'PrivateIdentifier') return `#${rename(key).replace(/^#/, '')}`
  if (key.type === 'Identifier' && !computed) return rename(key)
  const text = key.type === 'Literal' && !(key.value instanceof RegExp) ? String(key.value) : stringOf(key)
  if (text !== undefined) return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(text) ? text : `[${quote(text)}]`
  const chain = chainOf(key, rename).join('.')
  return chain.startsWith('.') || chain === '' ? '[…]' : `[${chain}]`
}

/** Joins an owner and a key. */
export function join (owner: string, key: string): string {
  return key.startsWith('[') || owner === '' ? `${owner}${key}` : `${owner}.${key}`
}

/** `Foo.prototype.bar` is `Foo.bar`, and of a long chain the last two parts tell enough. */
export function shortChain (parts: readonly string[]): string {
  const telling = parts.filter((part, at) => part !== 'prototype' || at === 0).slice(-2)
  const [first = '', ...rest] = telling
  return rest.reduce((owner, key) => owner === '' && !key.startsWith('[') ? `.${key}` : join(owner, key), first)
}
