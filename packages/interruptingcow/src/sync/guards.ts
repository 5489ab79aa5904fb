/*
 * What would leave Node in disorder if it were interrupted is refused while the body of a synchronous box runs: functions
 * are replaced for that time, during which no other code runs.
 */

type AnyFunction = (this: unknown, ...args: any[]) => unknown

/** Stands while a box is guarded. An interruption may cut both off, and they are called again then. */
export interface Guard {
  stand (): void
  leave (): void
}

let guards: readonly Guard[] = []

/** Undefined while they are being changed, which an interruption may cut off. */
let active: boolean | undefined = false

/** Whether the guards stand. */
export function areGuarded (): boolean {
  return active !== false
}

/** Puts the guards in place, or takes them away again. Without effect before `useGuards`. */
export function setGuarded (on: boolean): void {
  if (active === on) return
  active = undefined
  for (const guard of guards) {
    if (on) guard.stand()
    else guard.leave()
  }
  active = on
}

/** Has guards stand from now on whenever a box is guarded. */
export function useGuards (all: readonly Guard[]): void {
  guards = all
}

/**
 * Replaces a function by one that decides about each call; none where this version of Node doesn't have it.
 * @param around makes the call, or throws instead; it is given the arguments and what stands in for the function
 * @throws TypeError for a function that can't be replaced
 */
export function guardsOf (owner: object, name: PropertyKey, around: (call: () => unknown, args: readonly unknown[], callee: Function) => unknown): Guard[] {
  if (!(name in owner)) return []
  if (Object.getOwnPropertyDescriptor(owner, name)?.writable !== true) throw new TypeError(`${String(name)} can't be replaced`)
  const functions = owner as Record<PropertyKey, AnyFunction>
  // What stood there when the guard took its place, somebody else's replacement too.
  let original: AnyFunction
  const replacement: AnyFunction = function (this: unknown, ...args: unknown[]) {
    return around(() => original.apply(this, args), args, replacement)
  }
  return [{
    stand () {
      const current = functions[name]!
      if (current === replacement) return
      original = current
      functions[name] = replacement
    },
    leave () {
      if (functions[name] === replacement) functions[name] = original
    }
  }]
}
