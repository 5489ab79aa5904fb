import { existsSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { patchAsyncMutex } from './async-mutex.ts'
import { patchBetterSqlite3 } from './better-sqlite3.ts'
import { patchIoredis } from './ioredis.ts'
import { patchMongodb } from './mongodb.ts'
import { patchMysql2, patchMysql2Pool } from './mysql2.ts'
import { patchNodeRedis } from './node-redis.ts'
import { patchPasswordHashes } from './password-hashes.ts'
import { patchPgClient, patchPgCursor, patchPgPool } from './pg.ts'
import { patchGenericPool, patchPiscina, patchTarn } from './pools.ts'
import { patchUndiciClient, patchUndiciPool } from './undici.ts'

interface Exported {
  readonly default: { prototype: object }
}

/** Which file of which package gives what to which patch. A package's inner files are the same class for whoever loads it, by `import` too. */
const FILES: ReadonlyMap<string, (exported: any) => void> = new Map<string, (exported: any) => void>([
  ['pg/lib/client.js', patchPgClient],
  ['pg-pool/index.js', patchPgPool],
  ['pg-cursor/index.js', patchPgCursor],
  ['ioredis/built/Redis.js', (exported: Exported) => patchIoredis(exported.default)],
  ['ioredis/built/redis/index.js', (exported: Exported) => patchIoredis(exported.default)],
  ['mysql2/lib/connection.js', patchMysql2],
  ['mysql2/lib/base/connection.js', patchMysql2],
  ['mysql2/lib/pool.js', patchMysql2Pool],
  ['mysql2/lib/base/pool.js', patchMysql2Pool],
  ['mongodb/lib/operations/execute_operation.js', patchMongodb],
  ['better-sqlite3/lib/database.js', patchBetterSqlite3],
  ['@redis/client/dist/lib/client/index.js', (exported: Exported) => patchNodeRedis(exported.default)],
  ['tarn/dist/Pool.js', patchTarn],
  ['generic-pool/lib/Pool.js', (Pool: Exported['default']) => patchGenericPool('generic-pool', { Pool })],
  ['sequelize-pool/lib/Pool.js', (exported: { Pool: Exported['default'] }) => patchGenericPool('sequelize-pool', exported)],
  ['undici/lib/pool-base.js', patchUndiciPool],
  ['undici/lib/dispatcher/pool-base.js', patchUndiciPool],
  ['undici/lib/client.js', patchUndiciClient],
  ['undici/lib/dispatcher/client.js', patchUndiciClient],
  ['piscina/dist/index.js', patchPiscina],
  ['bcrypt/bcrypt.js', (exported: object) => patchPasswordHashes('bcrypt', exported)],
  ['argon2/argon2.cjs', (exported: object) => patchPasswordHashes('argon2', exported)],
  ['async-mutex/lib/Mutex.js', (exported: Exported) => patchAsyncMutex(exported.default)],
  ['async-mutex/lib/Semaphore.js', (exported: Exported) => patchAsyncMutex(exported.default)]
])

/** Patches libraries when the app loads them, its own copies, whichever these are. */
export function patchLibraries (): void {
  const { prototype } = Module as unknown as { prototype: { load (filename: string): void } }
  const { load } = prototype
  prototype.load = function (this: { exports: unknown }, filename) {
    load.call(this, filename)
    loaded(filename, this.exports)
  }
  const cache = (Module as unknown as { _cache: Record<string, { exports: unknown } | undefined> })._cache
  for (const [filename, module] of Object.entries(cache)) loaded(filename, module?.exports)
}

/**
 * Packages that have ES modules beside CommonJS, and so two of each class: loaded here, as the app will, since modules can't be watched without
 * hooks that all modules would have to pass. Only what does nothing when it is loaded.
 *
 * @param entry The app's file, from which packages are resolved.
 */
export function patchModules (entry: string | undefined): void {
  if (entry === undefined) return
  try {
    const commonJs = createRequire(entry).resolve('async-mutex')
    const file = join(commonJs.slice(0, commonJs.lastIndexOf('async-mutex')), 'async-mutex/index.mjs')
    if (!existsSync(file)) return
    import(pathToFileURL(file).href).then(({ Mutex, Semaphore }: Record<string, { prototype: object } | undefined>) => {
      for (const lock of [Mutex, Semaphore]) if (lock !== undefined) patchAsyncMutex(lock)
    }, () => {
      // One that the app can't load either, if it ever wants to.
    })
  } catch {
    // The app doesn't have it.
  }
}

function loaded (filename: string, exported: unknown): void {
  const at = filename.lastIndexOf('node_modules')
  if (at < 0) return
  const inner = filename.slice(at + 'node_modules'.length + 1)
  FILES.get(inner.replaceAll('\\', '/'))?.(exported)
}
