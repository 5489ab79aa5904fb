import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Run } from '@geordi/profile'
import type { ReportOptions } from '../src/index.ts'
import { findInPackage, profileRequest, profileScript, profileWaits, ROOT } from './programs.ts'

/** One profile of the gallery. */
export interface Exhibit {
  readonly name: string
  readonly title: string
  readonly options?: ReportOptions
  /** What the run tells beyond the recording. */
  readonly run?: Run
  /** What it takes and isn't there. */
  readonly missing?: string
  /** Runs the program. @returns the profile's file, in `folder`. */
  readonly record: (folder: string) => Promise<string>
}

/** JavaScript files that aren't compiled. */
const FIXTURES = fileURLToPath(new URL('../../gallery/fixtures/', import.meta.url))

function tool (name: string, file: string, ...args: string[]): Exhibit {
  const script = findInPackage(name, file)
  const title = [name, ...args].join(' ')
  if (script === undefined) return { name, title, missing: `${name} isn't installed`, record: async () => '' }
  // Linters and compilers end with 1 or 2 where they find something: their profile is as good.
  return { name, title, record: folder => profileScript(folder, [0, 1, 2], script, ...args) }
}

function fixture (name: string, options?: ReportOptions): Exhibit {
  return { name, title: `node ${name}.js`, record: folder => profileScript(folder, [0], `${FIXTURES}${name}.js`), ...options && { options } }
}

const DEMO = 'services/demo/dist/src/server.js'

/** The demo's routes where its database is to be had: it takes the variables that the demo itself takes. */
function demo (name: string, ...request: string[]): Exhibit {
  const missing = process.env['DATABASE_URL'] === undefined ? { missing: 'needs DATABASE_URL and the demo\'s other settings' } : {}
  return { name, title: name, ...missing, record: folder => profileRequest(folder, DEMO, ...request) }
}

/** A program that `main` of a module is, with what it waits for. */
function waiting (name: string, program: string): Exhibit {
  return { name, title: `main of ${name}.mjs`, record: folder => profileWaits(folder, program) }
}

/** Programs that say themselves what they spend, for the tests of who called whom. */
const TRUTH = join(ROOT, 'packages/profiler/test/fixtures/programs')

function app (name: string, ...request: string[]): Exhibit {
  const missing = findInPackage('fastify', 'package.json') === undefined ? { missing: 'fastify isn\'t installed' } : {}
  return { name, title: name, ...missing, record: folder => profileRequest(folder, `${FIXTURES}fastify-app.js`, ...request) }
}

const tsc = tool('typescript', 'bin/tsc', '-p', 'packages/report', '--noEmit', '--composite', 'false', '--incremental', 'false')

export const EXHIBITS: readonly Exhibit[] = [
  tsc,
  { ...tsc, name: 'typescript-40', options: { graph: { maxNodes: 40 } } },
  { ...tsc, name: 'typescript-by-package', options: { graph: { granularity: 'package' } } },
  tool('eslint', 'bin/eslint.js', '-c', '.config/eslint.config.js', 'packages/report/src'),
  tool('rollup', 'dist/bin/rollup', 'packages/report/dist/src/index.js', '--silent', '-o', '/dev/null'),
  tool('knip', 'bin/knip.js', '-c', '.config/knip.json', '--no-exit-code'),
  app('fastify-orders', 'GET', '/orders?customer=42'),
  app('fastify-waiting', 'GET', '/waiting'),
  // As it would be if its process had ended before the answer did.
  { ...app('fastify-ended', 'GET', '/orders?customer=42'), run: { ended: 'the process exited with code 7' } },
  demo('demo-cpu', 'GET', '/slow/cpu?ms=500'),
  ...['queries', 'statement', 'cache', 'lock', 'pool', 'regex', 'io', 'gzip', 'startup', 'gc', 'serial'].map(route => demo(`demo-${route}`, 'GET', `/slow/${route}`)),
  demo('demo-fast', 'GET', '/fast'),
  ...['fastify', 'together', 'recursion', 'callbacks'].map(name => waiting(`waits-${name}`, join(TRUTH, `${name}.mjs`))),
  fixture('deep-recursion'),
  fixture('many-functions'),
  fixture('waiting-only'),
  fixture('scripts')
]
