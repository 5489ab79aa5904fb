import { randomUUID } from 'node:crypto'
import inspector from 'node:inspector'

/**
 * The values of variables that a function of Node's own closes over, which the inspector's protocol can reach.
 * @throws Error where the inspector doesn't work
 */
export function closureOf (fn: Function, names: string[]): Record<string, unknown> {
  const session = new inspector.Session()
  // The values come over through a property, because the protocol itself hands out only descriptions of them.
  const exchange = `interruptingcow:${randomUUID()}`
  const globals = globalThis as unknown as Record<string, unknown>
  session.connect()
  try {
    globals[exchange] = fn
    const { result } = post<{ result: Remote }>(session, 'Runtime.evaluate', { expression: `globalThis[${JSON.stringify(exchange)}]` })
    const { internalProperties } = post<{ internalProperties: Property[] }>(session, 'Runtime.getProperties', { objectId: result.objectId })
    const scopes = internalProperties.find(property => property.name === '[[Scopes]]')
    const closures = properties(session, scopes?.value?.objectId)
      .filter(scope => /^Closure/.test(scope.value?.description ?? ''))
    const values: Record<string, unknown> = {}
    for (const closure of closures) {
      for (const { name, value } of properties(session, closure.value?.objectId)) {
        if (!names.includes(name) || value === undefined) continue
        if (value.objectId === undefined) values[name] = value.value
        else {
          post(session, 'Runtime.callFunctionOn', {
            objectId: value.objectId, functionDeclaration: `function () { globalThis[${JSON.stringify(exchange)}] = this }`
          })
          values[name] = globals[exchange]
        }
      }
    }
    return values
  } finally {
    delete globals[exchange]
    session.disconnect()
  }
}

interface Remote { readonly objectId?: string, readonly value?: unknown, readonly description?: string }
interface Property { readonly name: string, readonly value?: Remote }

function properties (session: inspector.Session, objectId: string | undefined): Property[] {
  if (objectId === undefined) return []
  return post<{ result: Property[] }>(session, 'Runtime.getProperties', { objectId, ownProperties: true }).result
}

/** A session of a thread with itself answers before `post` returns. */
function post<R> (session: inspector.Session, method: string, params: object): R {
  let answer: R | undefined
  const failures: Error[] = []
  session.post(method, params, (error: Error | null, result?: object) => {
    if (error !== null) failures.push(error)
    answer = result as R
  })
  if (failures[0] !== undefined) throw failures[0]
  if (answer === undefined) throw new Error(`The inspector did not answer ${method}.`)
  return answer
}
