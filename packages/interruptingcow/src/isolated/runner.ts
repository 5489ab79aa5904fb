/** What a process or thread of the pool is asked to do. */
export interface IsolatedTask {
  /** URL of the module. */
  readonly module: string
  /** Name of the function it exports. */
  readonly name: string
  readonly args: readonly unknown[]
}

/** What came of it. An error's own properties, such as `code`, come beside it, because structured clones lose them. */
export type IsolatedOutcome =
  | { readonly value: unknown }
  | { readonly error: unknown, readonly properties: object }

/** Loads the module and calls its function: what the pool runs. */
export async function run ({ module, name, args }: IsolatedTask): Promise<IsolatedOutcome> {
  try {
    const exported = (await import(module) as Record<string, unknown>)[name]
    if (typeof exported !== 'function') {
      throw new TypeError(`The module ${module} exports no function called "${name}".`)
    }
    return { value: await exported(...args) }
  } catch (error) {
    return { error, properties: error instanceof Error ? { ...error } : {} }
  }
}
