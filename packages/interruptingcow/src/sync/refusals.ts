import { createHook } from 'node:async_hooks'
import fs from 'node:fs'
import { isBuiltin, Module } from 'node:module'
import timers from 'node:timers'
import vm from 'node:vm'
import { BoxError } from '../errors.ts'
import { closureOf } from './closures.ts'
import { isCalledByNode } from './frames.ts'
import { type Guard, guardsOf } from './guards.ts'

/*
 * What `timeout.sync` refuses, at the places that all ways to the same thing go through, also those of named imports,
 * where there are such: of what makes and clears timers there are only the public functions.
 */

const AFTERWARDS = 'Do it before or after the box, or in its cleanup.'

/** @throws Error where Node keeps one of them in another way than the versions that are known here */
export function refusals (): Guard[] {
  return [...timerRefusals(), ...zlibRefusals(), ...fileRefusals(), ...connectionRefusals(), ...moduleRefusals(), ...hookRefusals(),
    ...['runInThisContext', 'runInContext'].flatMap(refuseTimeout)]
}

/** As they were before a test could replace them. */
const { setTimeout, clearTimeout } = timers

function timerRefusals (): Guard[] {
  const why = `Node's lists of timers would be broken. ${AFTERWARDS}`
  const timer = setTimeout(() => {}, 1)
  const prototype = Object.getPrototypeOf(timer) as object
  clearTimeout(timer)
  if (prototype.constructor.name !== 'Timeout') throw new TypeError(`a timer is a ${prototype.constructor.name}`)
  return [
    ...[globalThis, timers].flatMap(owner =>
      ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'].flatMap(name => refusing(owner, name, `\`${name}\``, why))),
    ...['refresh', 'close', 'ref', 'unref', Symbol.dispose].flatMap(name => refusingOutsiders(prototype, name, `\`${String(name)}\` of a timer`, why)),
    ...refusing(AbortSignal, 'timeout', '`AbortSignal.timeout`', "Node's lists of timers would be broken. Use the signal of the box.")
  ]
}

function hookRefusals (): Guard[] {
  const prototype = Object.getPrototypeOf(createHook({})) as object
  return ['enable', 'disable'].flatMap(name => refusingOutsiders(prototype, name, `\`${name}\` of async hooks`, `the process would abort. ${AFTERWARDS}`))
}

/** The natives that the functions and classes of `node:zlib` are made of, the synchronous ones too. */
function zlibRefusals (): Guard[] {
  const binding = closed<object>(process.getBuiltinModule('node:zlib').Gzip, 'binding')
  return ['Zlib', 'BrotliEncoder', 'BrotliDecoder', 'ZstdCompress', 'ZstdDecompress'].flatMap(name =>
    refusing(binding, name, '`node:zlib`', 'the process would abort. Use its functions outside of the box, or `timeout.isolated`.'))
}

/**
 * The natives that the functions of `node:fs/promises` call, which are those of `node:fs` with one more argument: those
 * that begin something, because a file handle is opened by one of them.
 */
function fileRefusals (): Guard[] {
  const binding = closed<Record<string, unknown>>(fs.openSync, 'binding')
  const { kUsePromises } = binding
  if (typeof kUsePromises !== 'symbol') throw new TypeError('kUsePromises is no symbol')
  const natives = ['openFileHandle', 'access', 'stat', 'lstat', 'readdir', 'mkdir', 'mkdtemp', 'rmdir', 'unlink', 'rename', 'copyFile', 'realpath']
  return natives.flatMap(name => guardsOf(binding, name, (call, args) => {
    if (args.includes(kUsePromises)) throw refusal('`node:fs/promises`', 'the process might abort. Use the synchronous function, or do it outside of the box.')
    return call()
  }))
}

function connectionRefusals (): Guard[] {
  const { Agent } = process.getBuiltinModule('node:http')
  const { Socket } = process.getBuiltinModule('node:net')
  const { ChildProcess } = process.getBuiltinModule('node:child_process')
  return ([[globalThis, 'fetch', '`fetch`'], [Agent.prototype, 'addRequest', 'An http request'], [Socket.prototype, 'connect', 'A connection'],
    [ChildProcess.prototype, 'spawn', 'Starting a process']] as const).flatMap(([owner, name, what]) =>
    refusing(owner, name, what, `its errors could come to nobody. ${AFTERWARDS}`))
}

function moduleRefusals (): Guard[] {
  const why = 'it would be handed out half loaded from then on. Load it before the box.'
  const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] }
  const isLoaded = (id: unknown) => typeof id !== 'string' || !isBuiltin(id) || moduleLoadList === undefined ||
    moduleLoadList.includes(`NativeModule ${id.replace(/^node:/, '')}`)
  return [
    ...refusing(Module.prototype, 'load', 'Loading a module', why),
    // What `import()` calls: there the refusal is what its promise rejects with.
    ...refusing(closed<{ prototype: object }>(Module.register, 'ModuleLoader').prototype, 'import', '`import()`', why),
    ...([[Module, '_load'], [process, 'getBuiltinModule']] as const).flatMap(([owner, name]) => guardsOf(owner, name, (call, [id]) => {
      if (!isLoaded(id)) throw refusal(`Loading ${String(id)}`, why)
      return call()
    }))
  ]
}

function refuseTimeout (name: string): Guard[] {
  return guardsOf(vm.Script.prototype, name, (call, args) => {
    const options = args.at(-1) as vm.RunningScriptOptions | undefined
    if (options?.timeout === undefined) return call()
    throw refusal("`vm`'s timeout", 'and its time came together with that of the box, one of them would never come. Use `timeout.sync` in the box as well.')
  })
}

/** Always refuses. */
function refusing (owner: object, name: PropertyKey, what: string, why: string): Guard[] {
  return guardsOf(owner, name, () => { throw refusal(what, why) })
}

/** Lets only Node itself call it, which goes on in a way that must not be cut off. */
function refusingOutsiders (owner: object, name: PropertyKey, what: string, why: string): Guard[] {
  return guardsOf(owner, name, (call, _args, callee) => {
    if (!isCalledByNode(callee)) throw refusal(what, why)
    return call()
  })
}

function refusal (what: string, why: string): BoxError {
  return new BoxError('GEORDI_BOX_REFUSED', `${what} is refused in \`timeout.sync\`: if it were interrupted, ${why}`)
}

/**
 * A variable that a function of Node's own closes over.
 * @throws TypeError where there is none
 */
function closed<T> (fn: Function, name: string): T {
  const value = closureOf(fn, [name])[name]
  if (value === undefined) throw new TypeError(`${fn.name} closes over no ${name}`)
  return value as T
}
