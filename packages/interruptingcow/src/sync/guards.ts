import { createRequire, isBuiltin, Module } from 'node:module'
import vm from 'node:vm'
import { BoxError } from '../errors.ts'
import { closureOf } from './closures.ts'

/*
 * What would leave Node in disorder if it were interrupted is refused while the body of a synchronous box runs: these
 * functions are replaced for that time, during which no other code runs. They are the ones that all ways to the same
 * thing go through, also those of named imports, where there are such; of timers there are only the public ones.
 */

type Owner = Record<string, unknown>
type AnyFunction = (this: unknown, ...args: any[]) => unknown

interface Guard {
  readonly owner: Owner
  readonly name: string
  readonly replacement: AnyFunction
  /** What stood there when the guard took its place, somebody else's replacement too. */
  original: unknown
}

const require = createRequire(import.meta.url)

let guards: readonly Guard[] = []

/** Undefined while they are being changed, which an interruption may cut off. */
let active: boolean | undefined = false

/** Whether the guards stand. */
export function areGuarded (): boolean {
  return active !== false
}

/** Puts the guards in place, or takes them away again. Without effect before `prepareGuards`. */
export function setGuarded (on: boolean): void {
  if (active === on) return
  active = undefined
  for (const guard of guards) {
    const { owner, name, replacement } = guard
    const current = owner[name]
    if (on && current !== replacement) {
      guard.original = current
      owner[name] = replacement
    } else if (!on && current === replacement) owner[name] = guard.original
  }
  active = on
}

/** Finds what is to be guarded, once a thread. It loads what it guards, which could not be guarded if it came later. */
export function prepareGuards (): void {
  const timers = require('node:timers') as Owner
  const http = require('node:http') as typeof import('node:http')
  const net = require('node:net') as typeof import('node:net')
  const { ChildProcess } = require('node:child_process') as typeof import('node:child_process')
  const afterwards = 'Do it before or after the box, or in its cleanup.'
  guards = [
    ...[globalThis as unknown as Owner, timers].flatMap(owner =>
      ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'].map(name =>
        refusing(owner, name, name, `Node's lists of timers would be broken. ${afterwards}`))),
    refusing(AbortSignal, 'timeout', 'AbortSignal.timeout', "Node's lists of timers would be broken. Use the signal of the box."),
    ...zlibHandles(),
    ...([[globalThis, 'fetch', '`fetch`'], [http.Agent.prototype, 'addRequest', 'An http request'], [net.Socket.prototype, 'connect', 'A connection'],
      [ChildProcess.prototype, 'spawn', 'Starting a process']] as const).map(([owner, name, what]) =>
      refusing(owner, name, what, `its errors could come to nobody. ${afterwards}`)),
    ...moduleGuards(),
    ...['runInThisContext', 'runInContext'].map(vmGuard)
  ].filter(({ owner, name }) => Object.getOwnPropertyDescriptor(owner, name)?.writable === true)
}

/** The natives that the functions and classes of `node:zlib` are made of, the synchronous ones too. */
function zlibHandles (): Guard[] {
  const zlib = require('node:zlib') as typeof import('node:zlib')
  const { binding } = closureOf(zlib.Gzip, ['binding']) as { binding?: Owner }
  if (typeof binding !== 'object') return []
  return ['Zlib', 'BrotliEncoder', 'BrotliDecoder', 'ZstdCompress', 'ZstdDecompress'].map(name =>
    refusing(binding, name, '`node:zlib`', 'the process would abort. Use its functions outside of the box, or `timeout.isolated`.'))
}

function moduleGuards (): Guard[] {
  const why = 'it would be handed out half loaded from then on. Load it before the box.'
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] }
  const isLoaded = (id: unknown) => typeof id !== 'string' || !isBuiltin(id) || moduleLoadList === undefined ||
    moduleLoadList.includes(`NativeModule ${id.replace(/^node:/, '')}`)
  const builtins = [[Module, '_load'], [process, 'getBuiltinModule']] as const
  const { ModuleLoader } = closureOf(Module.register, ['ModuleLoader']) as { ModuleLoader?: { prototype: object } }
  return [
    refusing(Module.prototype, 'load', 'Loading a module', why),
    // What `import()` calls: there the refusal is what its promise rejects with.
    ...ModuleLoader === undefined ? [] : [refusing(ModuleLoader.prototype, 'import', '`import()`', why)],
    ...builtins.map(([owner, name]) => guardOf(owner, name, (id: unknown) => {
      if (!isLoaded(id)) throw refusal(`Loading ${String(id)}`, why)
    }))
  ]
}

function vmGuard (name: string): Guard {
  return guardOf(vm.Script.prototype, name, (...args: unknown[]) => {
    const options = args.at(-1) as vm.RunningScriptOptions | undefined
    if (options?.timeout === undefined) return
    throw refusal("`vm`'s timeout", 'and its time came together with that of the box, one of them would never come. Use `timeout.sync` in the box as well.')
  })
}

/** One that always refuses. */
function refusing (owner: object, name: string, what: string, why: string): Guard {
  return guardOf(owner, name, () => { throw refusal(what, why) })
}

/** One that looks at the arguments first, and throws to refuse. */
function guardOf (owner: object, name: string, check: (...args: unknown[]) => void): Guard {
  const guard: Guard = {
    owner: owner as Owner,
    name,
    original: undefined,
    replacement: function (this: unknown, ...args: unknown[]) {
      check(...args)
      return (guard.original as AnyFunction).apply(this, args)
    }
  }
  return guard
}

function refusal (what: string, why: string): BoxError {
  return new BoxError('GEORDI_BOX_REFUSED', `${what} is refused in \`timeout.sync\`: if it were interrupted, ${why}`)
}
