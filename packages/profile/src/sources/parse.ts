import { parse, type AnyNode, type Program } from 'acorn'

/** A node with all that it is in, from the program inwards. */
export type Path = readonly AnyNode[]

export type FunctionNode = Extract<AnyNode, { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }>
export type ClassNode = Extract<AnyNode, { type: 'ClassDeclaration' | 'ClassExpression' }>

/**
 * Parses a script. What Node runs as CommonJS is a function's body; what isn't, by its syntax, is a module.
 *
 * @throws {Error} for what isn't JavaScript (TypeScript, JSON), and what is nested too deeply for the parser.
 */
export function parseScript (text: string): Program {
  const isModule = /^\s*(?:import|export)\b/m.test(text)
  const attempts = isModule ? ['module', 'commonjs'] as const : ['commonjs', 'module'] as const
  try {
    return parseAs(text, attempts[0])
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return parseAs(text, attempts[1])
  }
}

function parseAs (text: string, sourceType: 'module' | 'commonjs'): Program {
  return parse(text, { ecmaVersion: 'latest', sourceType, allowHashBang: true, ...sourceType === 'module' && { allowAwaitOutsideFunction: true } })
}

/** The nodes that hold an offset, from the outermost inwards. */
export function pathTo (program: Program, offset: number): Path {
  const path: AnyNode[] = []
  for (let node: AnyNode | undefined = program; node !== undefined; node = childAt(node, offset)) path.push(node)
  return path
}

function childAt (node: AnyNode, offset: number): AnyNode | undefined {
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child) && child.start <= offset && offset < child.end) return child
    }
  }
  return undefined
}

function isNode (value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as AnyNode).type === 'string' && typeof (value as AnyNode).start === 'number'
}

export function isFunction (node: AnyNode | undefined): node is FunctionNode {
  return node?.type === 'FunctionDeclaration' || node?.type === 'FunctionExpression' || node?.type === 'ArrowFunctionExpression'
}

export function isClass (node: AnyNode | undefined): node is ClassNode {
  return node?.type === 'ClassDeclaration' || node?.type === 'ClassExpression'
}

/** Between the word `function` and the parameters: a star, the name, comments. */
const HEAD = /(?:async|function|[\s*]|\/\*.*?\*\/|\/\/[^\n]*)*/sy

/**
 * Where V8 says that a function is (measured on Node 20, 22, 24): at its parameters' parenthesis, an arrow function at its very
 * start, with `async`.
 */
export function placeOfFunction (node: FunctionNode, text: string): number {
  if (node.type === 'ArrowFunctionExpression' || text[node.start] === '(') return node.start
  HEAD.lastIndex = node.id?.end ?? node.start
  HEAD.test(text)
  return HEAD.lastIndex
}

/**
 * Where V8 says that what runs a class's fields and static blocks is, and the constructor that isn't written (measured): 20 at the
 * class or a static member, 22 at the body's brace, 24 at the first member of its kind.
 */
export function isPlaceInClass (node: ClassNode, offset: number): boolean {
  return offset === node.start || offset === node.body.start || node.body.body.some(member => member.start === offset)
}
