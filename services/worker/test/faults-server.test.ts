import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { findRedisServer, startLocalServer, type LocalServer } from '@geordi/replay/local'
import { FINAL_STATES } from '@geordi/replay'
import { onEachServer, onServer, Site, sitesEndWithTests } from './faults-support.ts'
import { temporary, until } from './support.ts'

/** A way in which a queue server refuses to write, until it is mended. */
interface Refusal {
  begin (server: LocalServer, name: string): Promise<void>
  end (server: LocalServer, name: string): Promise<void>
}

/** PostgreSQL refuses with this error what is written under a name. */
function refusalOfPostgres (code: string): Refusal {
  const tables = (name: string) => [`${name}.replays`, `${name}.artefacts`, `${name}_queue.job`]
  return {
    begin: (server, name) => onPostgres(server, [
      `CREATE FUNCTION ${name}.refuse () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '${code}'; END $$`,
      ...tables(name).map(table => `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON ${table} EXECUTE FUNCTION ${name}.refuse()`)
    ]),
    end: (server, name) => onPostgres(server, [...tables(name).map(table => `DROP TRIGGER refuse ON ${table}`), `DROP FUNCTION ${name}.refuse`])
  }
}

const FULL: Readonly<Record<LocalServer['kind'], Refusal>> = {
  redis: {
    begin: server => onRedis(server, 'CONFIG', 'SET', 'maxmemory', '1mb'),
    end: server => onRedis(server, 'CONFIG', 'SET', 'maxmemory', '0')
  },
  postgres: refusalOfPostgres('53100')
}

const FORBIDDEN: Readonly<Record<LocalServer['kind'], Refusal>> = {
  redis: {
    begin: server => onRedis(server, 'ACL', 'SETUSER', 'default', '-hset'),
    end: server => onRedis(server, 'ACL', 'SETUSER', 'default', '+hset')
  },
  postgres: refusalOfPostgres('42501')
}

onEachServer('a queue server that takes no writes', server => {
  sitesEndWithTests()

  it('because it is full: who asks is told, a replay under way keeps its outcome, and all goes on when there is room', async () => {
    const site = await Site.open(server())
    const worker = await site.startWorker()
    const { begin, end } = FULL[server().kind]
    const id = await site.flag('/gate?gate=open')
    await site.running('/gate?gate=open')
    await begin(server(), site.name)
    try {
      const refused = await site.ask('/fine?refused&__geordi__', 'text/html')
      assert.equal(refused.status, 503)
      assert.match(refused.text, /did not run.*The queue server refuses/s)
      site.openGate('open')
      if (server().kind === 'redis') {
        // What is small is written all the same.
        await site.state(id, 'failed')
        assert.match(await site.page(id), /The replay has ended, but there was no place for profile\.cpuprofile.*The queue server refuses.*once\. It is not run again/)
      } else {
        await until(() => /The queue server refuses .*The worker waits for it/.test(worker.stdout.text), 'the operator is told')
      }
    } finally {
      await end(server(), site.name)
    }
    if (server().kind === 'postgres') await site.state(id, 'done')
    await site.state(await site.flag('/fine?after'), 'done')
    assert.deepEqual(site.runs().map(({ url }) => url), ['/gate?gate=open', '/fine?after'])
  })

  it('because it may not: the replay is not said to be done, nor run again, and the next one works', async () => {
    const site = await Site.open(server())
    const worker = await site.startWorker()
    const { begin, end } = FORBIDDEN[server().kind]
    const id = await site.flag('/gate?gate=open')
    await site.running('/gate?gate=open')
    await begin(server(), site.name)
    try {
      site.openGate('open')
      // The last of it: that it failed can't be written either.
      await until(() => worker.stdout.text.includes('GEORDI_QUEUE_UNAVAILABLE: The queue server refuses'), 'the operator is told')
    } finally {
      await end(server(), site.name)
    }
    await site.state(await site.flag('/fine'), 'done')
    await site.lose(id)
    assert.match(await site.page(id), /could not write what became of it.*it is not run again/)
    assert.equal(site.runs().length, 2)
  })
})

for (const kind of ['redis', 'postgres'] as const) {
  const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'
  describe(`a queue server of its own, ${kind}`, { skip }, () => {
    sitesEndWithTests()

    it('that is away during a replay for longer than the lock: the replay runs once, and its report is there', async t => {
      const folder = mkdtempSync(join(temporary, 'server-'))
      const first = await ownServer(t, { kind, folder })
      const site = await Site.open(first)
      const worker = await site.startWorker()
      const id = await site.flag('/gate?gate=open')
      await site.running('/gate?gate=open')
      // As if the lock's two minutes were over.
      await onServer(first, redis => redis.del(`bull:${site.name}:${id}:lock`), client => client.query(`UPDATE ${site.name}_queue.job SET locked_until_ms = 0 WHERE id = $1`, [id]))
      await site.lose(id)
      await first.stop()
      site.openGate('open')
      await until(() => worker.stdout.text.includes('GEORDI_QUEUE_UNAVAILABLE'), 'its absence is noticed')
      await ownServer(t, { kind, folder, port: Number(new URL(first.url).port) })
      await site.state(id, 'done')
      await site.deliverAgain(id)
      await site.state(await site.flag('/fine'), 'done')
      assert.deepEqual(site.runs().map(({ url }) => url), ['/gate?gate=open', '/fine'])
    })

    it('whose disk is full: no outcome is made up, nothing runs twice, and all goes on when there is room', async t => {
      const disk = smallDisk(kind === 'redis' ? 16 : 160)
      const server = await ownServer(t, { kind, folder: join(disk.folder, 'data') }, disk.remove)
      const full = disk.mounted ? { begin: async () => disk.fill(), end: async () => disk.empty() } : FULL[kind]
      const site = await Site.open(server)
      await site.startWorker()
      await site.state(await site.flag('/fine?before'), 'done')
      const id = await site.flag('/gate?gate=open')
      await site.running('/gate?gate=open')
      await full.begin(server, site.name)
      let attempts = 0
      try {
        site.openGate('open')
        // Redis notices with the next write; PostgreSQL has some room in its files.
        await until(async () => (await site.ask(`/fine?attempt=${attempts++}&__geordi__`)).status === 503 || FINAL_STATES.has((await site.look(id)).state), 'it is noticed')
      } finally {
        await full.end(server, site.name)
      }
      const { state, error } = await site.state(id, 'done', 'failed')
      if (state === 'failed') assert.match(error!.message, /The replay has ended, but there was no place for/)
      await site.state(await site.flag('/fine?after'), 'done')
      const urls = site.runs().map(({ url }) => url)
      assert.equal(new Set(urls).size, urls.length)
      assert.deepEqual(urls.filter(url => !url.includes('attempt')), ['/fine?before', '/gate?gate=open', '/fine?after'])
    })
  })
}

const servers = new WeakMap<TestContext, LocalServer[]>()
/** A server that ends with its test, before its folder goes. */
async function ownServer (t: TestContext, options: NonNullable<Parameters<typeof startLocalServer>[0]>, removeFolder = () => {}): Promise<LocalServer> {
  chmodSync(temporary, 0o711)
  const known = servers.get(t) ?? []
  if (known.length === 0) {
    servers.set(t, known)
    t.after(async () => {
      try {
        await Promise.all(known.map(server => server.stop()))
      } finally {
        removeFolder()
      }
    })
  }
  const server = await startLocalServer(options)
  known.push(server)
  return server
}

/** A disk of some megabytes where this account may mount one; else any folder, and the server is made to refuse in another way. */
function smallDisk (megabytes: number) {
  const folder = mkdtempSync(join(temporary, 'disk-'))
  chmodSync(folder, 0o711)
  let mounted = true
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=711`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    mounted = false
  }
  const filler = join(folder, 'filler')
  return {
    folder,
    mounted,
    fill () {
      const file = openSync(filler, 'w')
      try {
        for (const block = Buffer.alloc(4096, 1); ;) writeSync(file, block)
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
      } finally {
        closeSync(file)
      }
    },
    empty () { rmSync(filler) },
    remove () { if (mounted) execFileSync('umount', [folder]) }
  }
}

async function onRedis (server: LocalServer, command: string, ...args: string[]): Promise<void> {
  await onServer(server, redis => redis.call(command, ...args), () => assert.fail('this is no Redis'))
}

async function onPostgres (server: LocalServer, statements: readonly string[]): Promise<void> {
  await onServer(server, () => assert.fail('this is no PostgreSQL'), client => client.query(statements.join(';')))
}
