import { executionAsyncId } from 'node:async_hooks'
import { Module } from 'node:module'
import type { Internals } from './internals.ts'

/** What is to be as it was, after an interruption. */
export interface Entry {
  readonly depth: number
  readonly triggerId: number
  readonly stackTraceLimit: number
  readonly domain: Domain | null | undefined
}

/** What the deprecated `domain` module puts at `process.domain`. */
interface Domain { exit (): void }

const host = process as unknown as { domain?: Domain | null }

/** Reads what an interruption could change. */
export function entryState (internals: Internals): Entry {
  return {
    depth: internals.hookFields[internals.kStackLength]!,
    triggerId: internals.idFields[internals.kDefaultTriggerAsyncId]!,
    stackTraceLimit: Error.stackTraceLimit,
    domain: host.domain
  }
}

/** Puts right what the interrupted code had begun in Node, and would have ended in a `finally`. */
export function repair (internals: Internals, entry: Entry): void {
  const { hookFields, idFields, kStackLength, kDefaultTriggerAsyncId, emitAfter } = internals
  // Node sets it to 0 while it makes some of its own errors.
  Error.stackTraceLimit = entry.stackTraceLimit
  idFields[kDefaultTriggerAsyncId] = entry.triggerId
  // Without this the process dies at the end of the callback that it is in: «async hook stack has become corrupted».
  while (hookFields[kStackLength]! > entry.depth) emitAfter(executionAsyncId())
  leaveDomains(entry.domain)
  forgetHalfLoadedBuiltins(internals)
  forgetHalfLoadedModules()
}

/** Node loads parts of itself when they are first used: one that was interrupted in that is to be loaded anew. */
function forgetHalfLoadedBuiltins ({ builtins }: Internals): void {
  for (const module of builtins.values()) {
    if (module.loading) Object.assign(module, { loading: false, loaded: false, exports: {} })
  }
}

function leaveDomains (before: Domain | null | undefined): void {
  for (let domain = host.domain; domain != null && domain !== before; domain = host.domain) {
    domain.exit()
    if (host.domain !== domain) continue
    // It was interrupted between becoming the current one and being put on the stack of domains.
    host.domain = before ?? null
    // eslint-disable-next-line n/no-deprecated-api
    Object.assign(process.getBuiltinModule('node:domain'), { active: before })
  }
}

const moduleCache = (Module as unknown as { _cache: NodeJS.Dict<NodeModule> })._cache

/**
 * A CommonJS module that was interrupted while it loaded would be handed out half-done ever after. One that is still
 * loading, because the box itself is in it, has a frame on the stack.
 */
function forgetHalfLoadedModules (): void {
  const halfLoaded = Object.values(moduleCache).filter(module => module?.loaded === false)
  if (halfLoaded.length === 0) return
  const stack = stackNow()
  for (const module of halfLoaded) {
    if (module === undefined || stack.includes(`(${module.filename}:`) || module.id === '.') continue
    delete moduleCache[module.filename]
    const siblings = module.parent?.children
    const index = siblings?.indexOf(module) ?? -1
    if (index !== -1) siblings?.splice(index, 1)
  }
}

function stackNow (): string {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = Infinity
  const stack = String(new Error('only for its stack').stack)
  Error.stackTraceLimit = stackTraceLimit
  return stack
}
