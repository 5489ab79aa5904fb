type AnyFunction = (...args: never[]) => unknown

/** An object whose methods are replaced. */
export type Target = object

/**
 * Puts a function in a method's place that looks like it: same name, length and further properties (`util.promisify.custom`).
 * What isn't there, as in another version of a library, is left alone.
 */
export function patch (target: Target, name: PropertyKey, make: (original: Function) => (this: unknown, ...args: any[]) => unknown): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name)
  const original: unknown = descriptor?.value
  if (descriptor === undefined || typeof original !== 'function' || !(descriptor.writable || descriptor.configurable)) return
  const replacement = make(original)
  look(replacement, original as AnyFunction)
  Object.defineProperty(target, name, { ...descriptor, value: replacement })
}

const shown = new WeakSet<object>()

/** Patches the class of an object, once: classes that aren't exported are shown by their first object. */
export function patchClassOf (object: object, patchPrototype: (prototype: object) => void): void {
  const prototype = Object.getPrototypeOf(object) as object
  if (shown.has(prototype)) return
  shown.add(prototype)
  patchPrototype(prototype)
}

/** Gives a function that stands for another the other's looks. */
export function look (replacement: Function, original: Function): void {
  for (const key of Reflect.ownKeys(original)) {
    const property = Object.getOwnPropertyDescriptor(original, key)
    const own = Object.getOwnPropertyDescriptor(replacement, key)
    if (property !== undefined && (own === undefined || own.configurable === true)) Object.defineProperty(replacement, key, property)
  }
}
