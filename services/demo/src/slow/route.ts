import type { Means } from './means.ts'

/** A whole number in the query, as JSON schema. The description goes on after «1 to 100». */
export interface IntegerParameter { type: 'integer', minimum: number, maximum: number, default: number, description: string }

/** A text in the query, as JSON schema. */
export interface TextParameter { type: 'string', minLength: number, maxLength: number, default: string, description: string }

export type Parameters = Readonly<Record<string, IntegerParameter | TextParameter>>

/** What the query holds once it is checked against the parameters. */
export type Values<P extends Parameters> = { [Name in keyof P]: P[Name] extends IntegerParameter ? number : string }

/** What a route has done. */
export interface Outcome {
  /**
   * What it counted itself, to hold a report's numbers against: times in milliseconds. `waited` is the sum of all its waits
   * of the kind that the route is about, each from its call to its end, those at the same time each in full.
   */
  counted: object
  /** The same for people. */
  sentence: string
  /** Sent instead to who asks for this type, where the route makes a file. */
  file?: { type: string, encoding: string, name: string, content: Uint8Array }
}

/** A route that does one thing for which requests are slow. */
export interface SlowRoute {
  path: string
  /** The cause. */
  title: string
  /** What it does; one sentence. */
  what: string
  parameters: Parameters
  /** `signal` aborts when the client has gone. */
  run: (means: Means, values: Values<Parameters>, signal: AbortSignal) => Promise<Outcome>
}

/** A route whose `run` gets its own parameters by their types. Fastify has checked them when it runs. */
export function slowRoute<P extends Parameters> (route: Omit<SlowRoute, 'parameters' | 'run'> & {
  parameters: P
  run: (means: Means, values: Values<P>, signal: AbortSignal) => Promise<Outcome>
}): SlowRoute {
  return route as unknown as SlowRoute
}

/** A parameter from `minimum` to `maximum`, `value` unless given. */
export function integer (minimum: number, maximum: number, value: number, description: string): IntegerParameter {
  return { type: 'integer', minimum, maximum, default: value, description }
}

/** A parameter of 1 to `maxLength` characters, `value` unless given. */
export function text (maxLength: number, value: string, description: string): TextParameter {
  return { type: 'string', minLength: 1, maxLength, default: value, description }
}

/** The route's path with its parameters as they are unless given: a report tells how long a text was only where the request has one. */
export function exampleUrl ({ path, parameters }: SlowRoute): string {
  const values = Object.entries(parameters).map(([name, { default: value }]) => `${name}=${encodeURIComponent(value)}`)
  return values.length > 0 ? `${path}?${values.join('&')}` : path
}
