import { recorderOutsideDrivers, waitForCallback, waitForPromise, type Size } from '../observe.ts'
import { patch } from '../patch.ts'
import type { WaitStart } from '../wait-log.ts'

/** What of a driver's operation is used; the fields differ from operation to operation. */
interface Operation {
  readonly constructor: { readonly name: string }
  readonly commandName?: string
  readonly ns?: { readonly db?: string, readonly collection?: string }
  /** An aggregation's collection, whose `ns` is the one for commands; 1 for a whole database's. */
  readonly target?: unknown
  readonly filter?: unknown
  readonly query?: unknown
  readonly pipeline?: unknown
  readonly statements?: ReadonlyArray<{ readonly q?: unknown }>
  readonly documents?: unknown
  readonly cursorId?: unknown
}

interface Client {
  readonly options?: { readonly hosts?: ReadonlyArray<{ readonly host?: string, readonly port?: number, readonly socketPath?: string }>, readonly srvHost?: string }
}

/** So deep a filter's shape is shown; so many of its keys. */
const MOST_DEPTH = 4
const MOST_KEYS = 12

/**
 * `mongodb` (from 4): one wait an operation. Every method of a collection, a database or a cursor comes by `executeOperation`, which the files of
 * the driver call as a property of its module.
 */
export function patchMongodb (module: object): void {
  patch(module, 'executeOperation', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    const [client, operation, callback] = args as [Client, Operation | undefined, unknown]
    if (recorder === undefined || typeof operation !== 'object') return Reflect.apply(original, this, args)
    const start = describe(client, operation)
    return typeof callback === 'function'
      ? waitForCallback(recorder, start, original, this, args, 2, sizeOf)
      : waitForPromise(recorder, start, original, this, args, sizeOf)
  })
}

function describe (client: Client, operation: Operation): WaitStart {
  const { ns, filter = operation.query, pipeline, statements, documents, cursorId } = operation
  const name = operation.commandName ?? operation.constructor.name.replace(/Operation$/, '').replace(/^./, first => first.toLowerCase())
  const asked = filter ?? pipeline ?? statements?.map(({ q }) => q)
  const collection = typeof operation.target === 'string' ? operation.target : ns?.collection
  const parts = [name, collection === '$cmd' ? '' : collection, ...asked === undefined ? [] : [shape(asked)]]
  return {
    kind: 'document',
    statement: parts.filter(part => part !== undefined && part !== '').join(' '),
    target: [hostOf(client), ns?.db].filter(part => part !== undefined).join('/'),
    driver: 'mongodb',
    // Asked again: the same of the same. A cursor's next part and another document to insert are not.
    ...asked !== undefined && cursorId === undefined && { values: asked },
    ...documents !== undefined && { values: documents }
  }
}

/** Without user, password and query: the client has taken its URL apart. */
function hostOf ({ options }: Client): string | undefined {
  const [first] = options?.hosts ?? []
  if (first === undefined) return options?.srvHost
  return first.socketPath ?? `${first.host}:${first.port}`
}

/** A filter's keys, without its values: `{ name: ?, age: { $gt: ? } }`. */
function shape (value: unknown, depth = 0): string {
  if (Array.isArray(value)) {
    const shapes = [...new Set(value.slice(0, MOST_KEYS).map(one => shape(one, depth + 1)))]
    return `[${shapes.join(', ')}${value.length > MOST_KEYS ? ', …' : ''}]`
  }
  if (typeof value !== 'object' || value === null || !isPlain(value)) return '?'
  const keys = Object.keys(value)
  if (keys.length === 0) return '{}'
  if (depth === MOST_DEPTH) return '{ … }'
  const shown = keys.slice(0, MOST_KEYS).map(key => `${key}: ${shape((value as Record<string, unknown>)[key], depth + 1)}`)
  return `{ ${shown.join(', ')}${keys.length > MOST_KEYS ? ', …' : ''} }`
}

/** Not an ObjectId, a Date, a regular expression: these are values. */
function isPlain (value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** What a cursor's first or next part holds, or how many documents were touched. */
function sizeOf (result: unknown): Size {
  if (typeof result !== 'object' || result === null) return {}
  const { batchSize, insertedCount, modifiedCount, deletedCount, cursor } = result as Record<string, unknown> & {
    readonly cursor?: { readonly firstBatch?: unknown[], readonly nextBatch?: unknown[] }
  }
  const rows = [batchSize, (cursor?.firstBatch ?? cursor?.nextBatch)?.length, insertedCount, modifiedCount, deletedCount].find(count => typeof count === 'number')
  return rows === undefined ? {} : { rows: rows as number }
}
