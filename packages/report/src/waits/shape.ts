import type { WaitOperation } from '@geordi/profile'

/** What an operation is an example of. */
export interface Shape {
  readonly statement: string
  readonly target: string
}

/** Parts of a path that are values: numbers, UUIDs, hashes and other long identifiers. */
const VALUE = /^(?:\d+|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{12,}|(?=[\w-]*\d)[\w-]{16,})$/i

/** The operation without what is only a value in it: `GET /users/{id}` for each user's, a folder for each of its files. */
export function shapeOf ({ kind, statement, target }: WaitOperation): Shape {
  switch (kind) {
    case 'http': return { statement: statement.split('/').map(part => VALUE.test(part) ? '{id}' : part.replace(/^[^?]+/, path => VALUE.test(path) ? '{id}' : path)).join('/'), target }
    case 'file': return { statement, target: target.replace(/[^/\\]*$/, '') }
    default: return { statement, target }
  }
}
