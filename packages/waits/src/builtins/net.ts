import dns from 'node:dns'
import dnsPromises from 'node:dns/promises'
import net from 'node:net'
import tls from 'node:tls'
import { ChildProcess } from 'node:child_process'
import childProcess from 'node:child_process'
import { firstWord } from '../first-word.ts'
import { recorderOutsideDrivers, type Measure } from '../observe.ts'
import { patch, type Target } from '../patch.ts'
import { activeRecorder } from '../recorder.ts'
import type { WaitStart } from '../wait-log.ts'
import { patchCallbacks, patchPromises, patchSync } from './callbacks.ts'
import { patchEvents, type Maker } from './events.ts'
import { ask, noteConnection, patchAnswers, recordOfWriter } from './exchanges.ts'

const DNS = [
  'lookup', 'lookupService', 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveCaa', 'resolveCname', 'resolveMx', 'resolveNaptr', 'resolveNs',
  'resolvePtr', 'resolveSoa', 'resolveSrv', 'resolveTxt', 'reverse'
]

/** Names, connections and child processes. */
export function patchNet (): void {
  const describe = (name: string, args: unknown[]): WaitStart => ({ kind: 'dns', statement: name, target: String(args[0]), driver: 'node:dns', values: args[0] })
  const rows: Measure = answers => Array.isArray(answers) ? { rows: answers.length } : {}
  patchCallbacks(dns, DNS, describe, rows)
  patchPromises(dnsPromises, DNS, describe, rows)
  patchConnect()
  patchWrites()
  patchAnswers()
  patchProcesses()
}

/** A connection of the app's own. Those that drivers open are part of what they do. */
function patchConnect (): void {
  patch(net.Socket.prototype, 'connect', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    const socket = this as net.Socket
    const target = endpoint(args)
    if (recorder === undefined) {
      // Drivers that aren't known fill their pools at the app's start.
      if (activeRecorder() === undefined) noteConnection(socket, target)
      return Reflect.apply(original, this, args)
    }
    const record = recorder.record(true)
    noteConnection(socket, target, recorder, record)
    const wait = recorder.open(record, { kind: 'connect', statement: 'connect', target, driver: 'node:net' })
    // Neither event is one whose first listener changes what happens.
    socket.prependOnceListener(socket instanceof tls.TLSSocket ? 'secureConnect' : 'connect', () => recorder.close(wait, false))
    socket.prependOnceListener('close', () => recorder.close(wait, true))
    return recorder.call(record, original, this, args)
  })
}

/**
 * What the application itself writes to a socket, its own or that of an HTTP message: each is a call of the system's, and thousands of small ones are a
 * cause of slowness. What waits in a socket's buffer for the one before goes out with all that came meanwhile.
 */
function patchWrites (): void {
  const count = (socket: net.Socket, bytes: number, original: Function, args: unknown[]): unknown => {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, socket, args)
    // Not as a driver's call: what it calls back is the application's own.
    const record = recordOfWriter(recorder, socket)
    ask(recorder, record, socket)
    const wait = recorder.open(record, { kind: 'socket', statement: 'write', driver: 'node:net', sync: true })
    try {
      return Reflect.apply(original, socket, args)
    } finally {
      recorder.close(wait, false, undefined, bytes)
    }
  }
  patch(net.Socket.prototype, '_write', original => function (...args: unknown[]) {
    return count(this as net.Socket, lengthOf(args[0]), original, args)
  })
  patch(net.Socket.prototype, '_writev', original => function (...args: unknown[]) {
    return count(this as net.Socket, (args[0] as Array<{ chunk: unknown }>).reduce((sum, { chunk }) => sum + lengthOf(chunk), 0), original, args)
  })
}

function lengthOf (chunk: unknown): number {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk.length : 0
}

function endpoint (args: unknown[]): string {
  // net.connect() hands over its own, normalised arguments in an array.
  const [first, second] = Array.isArray(args[0]) ? args[0] as unknown[] : args
  if (typeof first === 'object' && first !== null) {
    const { path, host, port } = first as { path?: string, host?: string, port?: number }
    return path ?? `${host ?? 'localhost'}:${port}`
  }
  return typeof first === 'string' && Number.isNaN(Number(first)) ? first : `${typeof second === 'string' ? second : 'localhost'}:${String(first)}`
}

const makers = new WeakMap<ChildProcess, Maker>()

function patchProcesses (): void {
  patchEvents(ChildProcess.prototype, makers)
  patch(ChildProcess.prototype as Target, 'spawn', original => function (...args: unknown[]) {
    const recorder = recorderOutsideDrivers()
    if (recorder === undefined) return Reflect.apply(original, this, args)
    const { file, args: values } = args[0] as { file?: string, args?: string[] }
    const record = recorder.record(true)
    const wait = recorder.open(record, { kind: 'process', statement: 'spawn', target: file ?? '', driver: 'node:child_process', values })
    const child = this as ChildProcess
    makers.set(child, { recorder, record })
    // `close` comes when its output has been read too, and after a failed start.
    child.prependOnceListener('close', code => recorder.close(wait, code !== 0))
    return recorder.call(record, original, this, args)
  })
  // Arguments may hold secrets, and so may variables; a command line that a shell takes apart is named by the first word that is neither.
  const describe = (name: string, args: unknown[]): WaitStart => ({
    kind: 'process', statement: name, target: firstWord(String(args[0])), driver: 'node:child_process', values: args[0]
  })
  patchSync(childProcess, ['execFileSync', 'execSync', 'spawnSync'], describe)
}
