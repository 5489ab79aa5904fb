import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { Redis } from 'ioredis'
import pg from 'pg'
import { openBackend, Replays, type Backend, type CapturedRequest, type ReplayError, type ReplaysOptions, type ReplayTask } from '@geordi/replay'
import { findRedisServer, startLocalServer, type LocalServer } from '@geordi/replay/local'
import { bytes, PATIENCE, SECRET, until } from './conformance-support.ts'

const TERMS = { ttl: 60, startWithin: 60, owner: 'somebody', maxOpen: 100, maxQueued: 100 } as const
const KEEP_ALL = { ttl: 60, count: 1000, bytes: 1_000_000 } as const
const tooManyOpen = { name: 'ReplayError', code: 'GEORDI_TOO_MANY_OPEN', message: /`maxOpenPerAdmin`/ }
const queueFull = { name: 'ReplayError', code: 'GEORDI_QUEUE_FULL', message: /`maxQueued`/ }

let count = 0

for (const kind of ['redis', 'postgres'] as const) {
  const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'

  describe(`limits on ${kind}`, { skip }, () => {
    let server: LocalServer
    before(async () => { server = await startLocalServer({ kind }) })
    after(() => server?.stop())

    const unique = () => `l${process.pid}_${count++}`
    const open = async (t: TestContext, options: Partial<ReplaysOptions> & { readonly name: string }): Promise<Replays> => {
      const replays = await Replays.open({ url: server.url, secret: SECRET, role: 'web', timeout: PATIENCE, ...options })
      t.after(() => replays.close())
      return replays
    }
    const backend = async (t: TestContext, name = unique()): Promise<Backend> => {
      const backend = await openBackend({ url: server.url, name, role: 'web', timeout: PATIENCE })
      t.after(() => backend.close())
      return backend
    }
    /** Hands out tasks one after the other; each is held until the test ends it. */
    const holding = async (t: TestContext, name: string, concurrency = 1) => {
      const worker = await Replays.open({ url: server.url, name, secret: SECRET, role: 'worker' })
      const tasks: ReplayTask[] = []
      const ends = new Map<string, () => void>()
      let release = () => {}
      const over = new Promise<void>(resolve => { release = resolve })
      const consumer = await worker.consume(async task => {
        const ended = new Promise<void>(resolve => ends.set(task.id, resolve))
        tasks.push(task)
        await Promise.race([ended, over])
      }, { concurrency, onError: () => {} })
      t.after(async () => {
        release()
        await consumer.close()
        await worker.close()
      })
      return { tasks, end: (id: string) => ends.get(id)!() }
    }

    it('refuses more open replays of one person than may be, whichever web process is asked, and others\' not', async t => {
      const name = unique()
      const webs = [await open(t, { name, maxOpenPerAdmin: 3 }), await open(t, { name, maxOpenPerAdmin: 3 })]
      const answers = await Promise.allSettled(Array.from({ length: 12 }, (_, index) => webs[index % 2]!.submit(request('picard'))))
      const refused = answers.filter(answer => answer.status === 'rejected').map(({ reason }) => (reason as ReplayError).code)
      assert.deepEqual(refused, Array(9).fill('GEORDI_TOO_MANY_OPEN'), 'at once, and three are taken')
      await webs[1]!.submit(request('riker'))
      await assert.rejects(webs[0]!.submit(request('picard')), tooManyOpen)
    })

    it('counts all who have no name as one', async t => {
      const web = await open(t, { name: unique(), maxOpenPerAdmin: 1 })
      await web.submit(request())
      await web.submit(request('null'))
      await web.submit(request(''))
      await assert.rejects(web.submit(request()), tooManyOpen)
    })

    it('counts a replay from its capture to its end, however it ends', async t => {
      const name = unique()
      const web = await open(t, { name, maxOpenPerAdmin: 1 })
      const { tasks, end } = await holding(t, name)
      for (const state of ['done', 'failed'] as const) {
        const { id } = await web.submit(request('picard'))
        await until(() => tasks.at(-1)?.id === id)
        for (const under of ['starting', 'running', 'rendering'] as const) {
          await tasks.at(-1)!.update({ state: under })
          await assert.rejects(web.submit(request('picard')), tooManyOpen)
        }
        await tasks.at(-1)!.update({ state })
        end(id)
      }
      await web.submit(request('picard'))
    })

    it('does not count who has lost its worker, was not taken in time, or has expired', async t => {
      const name = unique()
      const { store } = await backend(t, name)
      const only = { ...TERMS, maxOpen: 1 }
      await store.create('lost', bytes('r'), bytes('c'), only)
      await store.lease('lost', 60_000)
      assert.equal(await store.create('x', bytes('r'), bytes('c'), only), 'open')
      assert.equal(await store.read('x'), null, 'nothing is written of what is refused')
      await store.lease('lost', 1)
      await until(async () => await store.create('late', bytes('r'), bytes('c'), { ...only, startWithin: 1 }) === null)
      await until(async () => await store.create('expired', bytes('r'), bytes('c'), { ...only, ttl: 1 }) === null)
      await until(async () => await store.create('next', bytes('r'), bytes('c'), only) === null)
    })

    it('goes on counting what a worker has for as long as it gives signs of life', async t => {
      const { store } = await backend(t)
      const only = { ...TERMS, maxOpen: 1 }
      await store.create('long', bytes('r'), bytes('c'), { ...only, startWithin: 1 })
      await store.lease('long', 60_000)
      await store.create('later', bytes('r'), bytes('c'), { ...TERMS, owner: 'else', startWithin: 1 })
      await until(async () => (await store.read('later'))!.place === undefined)
      assert.equal(await store.create('x', bytes('r'), bytes('c'), only), 'open')
      await store.write('long', bytes('r'), true)
      await store.lease('long', 60_000)
      assert.equal(await store.create('x', bytes('r'), bytes('c'), only), null, 'a last sign of life opens nothing again')
    })

    it('refuses more in the queue than may be, and what a worker has taken is not in it', async t => {
      const name = unique()
      const web = await open(t, { name, maxQueued: 2 })
      const first = await web.submit(request('a'))
      const second = await web.submit(request('b'))
      await assert.rejects(web.submit(request('c')), queueFull)
      const { tasks } = await holding(t, name)
      await until(() => tasks.length === 1)
      assert.equal(tasks[0]!.id, first.id)
      await web.submit(request('c'))
      await assert.rejects(web.submit(request('d')), queueFull)
      assert.equal((await web.find(second.id))!.place, 1)
    })

    it('tells the place in the queue, as it moves on', async t => {
      const name = unique()
      const web = await open(t, { name })
      const ids: string[] = []
      for (let n = 0; n < 4; n++) ids.push((await web.submit(request('picard'))).id)
      const places = async () => Promise.all(ids.map(async id => (await web.find(id))!.place))
      assert.deepEqual(await places(), [1, 2, 3, 4])
      const { tasks, end } = await holding(t, name)
      for (const [taken, expected] of [[undefined, 1, 2, 3], [undefined, undefined, 1, 2], [undefined, undefined, undefined, 1]].entries()) {
        await until(() => tasks.length === taken + 1)
        assert.equal(tasks[taken]!.id, ids[taken], 'as the queue takes them')
        assert.deepEqual(await places(), expected)
        end(ids[taken]!)
      }
    })

    it('passes over what was not taken in time when it tells the place', async t => {
      const { store } = await backend(t)
      await store.create('late', bytes('r'), bytes('c'), { ...TERMS, startWithin: 1 })
      await store.create('next', bytes('r'), bytes('c'), TERMS)
      assert.equal((await store.read('next'))!.place, 2)
      await until(async () => (await store.read('next'))!.place === 1)
      assert.equal((await store.read('late'))!.place, undefined)
    })

    it('tells the place by the server\'s clock: to a reader whose clock runs ahead what waits is not lost', async t => {
      const { store } = await backend(t)
      await store.create('waiting', bytes('r'), bytes('c'), TERMS)
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * TERMS.startWithin * 1000 })
      assert.equal((await store.read('waiting'))!.place, 1)
    })

    it('keeps no name in clear text, nor two people\'s under one', async t => {
      const name = unique()
      const web = await open(t, { name })
      for (const by of ['jean-luc-picard', 'jean-luc-picard', 'william-riker', undefined]) await web.submit(request(by))
      const all = await everything(server, name)
      assert.ok(all.length > 100)
      for (const word of ['jean-luc', 'picard', 'riker', '/captain', 'session=']) assert.ok(!all.includes(word), word)
      assert.equal((await owners(server, name)).length, 3)
    })

    it('forgets by count the oldest that have ended, never what is open, and always keeps the newest', async t => {
      const { store } = await backend(t)
      for (const id of ['a', 'b', 'c', 'd', 'e']) await store.create(id, bytes('r'), bytes('c'), TERMS)
      for (const id of ['a', 'b', 'd', 'e']) await store.write(id, bytes('r'), true)
      const left = async () => (await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async id => await store.read(id) === null ? '' : id))).join('')
      await store.forget({ ...KEEP_ALL, count: 4 })
      assert.equal(await left(), 'bcde')
      await store.forget({ ...KEEP_ALL, count: 1 })
      assert.equal(await left(), 'ce', 'the queued one stays')
      await store.lease('c', 60_000)
      await store.forget({ ...KEEP_ALL, count: 1, bytes: 1 })
      assert.equal(await left(), 'ce', 'so does the leased one')
      await store.write('c', bytes('r'), true)
      await store.lease('c', 1)
      await until(async () => (await store.forget({ ...KEEP_ALL, count: 1 }), await left()) === 'e')
    })

    it('forgets by total size, artefacts included', async t => {
      const { store } = await backend(t)
      for (const id of ['a', 'b', 'c']) {
        await store.create(id, bytes('r'), bytes('c'), TERMS)
        await store.put(id, 'report.pdf', Buffer.alloc(1000))
        await store.put(id, 'report.pdf', Buffer.alloc(10_000))
        await store.write(id, bytes('r'), true)
      }
      await store.forget({ ...KEEP_ALL, bytes: 31_000 })
      assert.notEqual(await store.read('a'), null)
      await store.forget({ ...KEEP_ALL, bytes: 29_000 })
      assert.equal(await store.read('a'), null)
      assert.equal(await store.get('a', 'report.pdf'), null)
      assert.notEqual(await store.get('b', 'report.pdf'), null)
    })

    it('leaves nothing on the server of replays that have expired, and no job that is over, though no other job ends', async t => {
      const name = unique()
      const web = await open(t, { name, retention: 2 })
      const { tasks, end } = await holding(t, name)
      const { id } = await web.submit(request('picard'))
      await until(() => tasks.length === 1)
      await tasks[0]!.attach('report.pdf', Buffer.alloc(1000))
      await tasks[0]!.update({ state: 'done' })
      end(id)
      await until(async () => (await jobs(server, name)).some(state => state === 'completed'))
      await until(async () => await web.find(id) === null)
      await web.forget()
      assert.equal((await jobs(server, name)).length, 1, 'a job is kept for an hour')
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 3_600_000 })
      await web.forget()
      t.mock.timers.reset()
      assert.deepEqual(await jobs(server, name), [])
      // Redis looks after its own leases.
      await until(async () => (await replaysLeft(server, name)).length === 0)
    })
  })
}

/** What was there before there were limits. */
describe('a PostgreSQL of an earlier version', () => {
  it('is brought up to date, with what is in it', async t => {
    const server = await startLocalServer({ kind: 'postgres' })
    t.after(() => server.stop())
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query(`
      CREATE SCHEMA old;
      CREATE TABLE old.replays (id text PRIMARY KEY, record bytea NOT NULL, claimed_at timestamptz, leased_until timestamptz, expires_at timestamptz NOT NULL);
      CREATE INDEX replays_expires_at ON old.replays (expires_at);
      CREATE TABLE old.artefacts (id text NOT NULL REFERENCES old.replays ON DELETE CASCADE, name text NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (id, name));
      INSERT INTO old.replays VALUES ('before', 'r', now(), NULL, now() + interval '1 hour')`)
    await client.end()
    const backends = await Promise.all([1, 2].map(() => openBackend({ url: server.url, name: 'old', role: 'web', timeout: PATIENCE })))
    const stored = await Promise.all(backends.map(({ store }) => store.read('before')))
    assert.deepEqual(stored, Array(2).fill({ record: bytes('r'), claimed: true, leased: false }))
    assert.equal(await backends[0]!.store.create('after', bytes('r'), bytes('c'), TERMS), null)
    assert.equal((await backends[1]!.store.read('after'))!.place, 1)
    for (const backend of backends) await backend.close()
  })
})

/** All that the server holds of a queue, keys and values. */
async function everything (server: LocalServer, name: string): Promise<string> {
  return onServer(server, async redis => {
    const parts = await Promise.all((await redis.keys(`*${name}*`)).map(async key => [key, ...await values(redis, key)]))
    return parts.flat().join('\n')
  }, async client => {
    const { rows } = await client.query(`SELECT replays::text AS one, encode(bytes, 'escape') AS two, encode(record, 'escape') AS three FROM ${name}.replays JOIN ${name}.artefacts USING (id)`)
    const { rows: queued } = await client.query(`SELECT job::text AS one FROM ${name}_queue.job`)
    return JSON.stringify([rows, queued])
  })
}

async function values (redis: Redis, key: string): Promise<string[]> {
  switch (await redis.type(key)) {
    case 'hash': return Object.entries(await redis.hgetall(key)).flat()
    case 'zset': return redis.zrange(key, '0', '-1')
    case 'list': return redis.lrange(key, 0, -1)
    case 'stream': return [JSON.stringify(await redis.xrange(key, '-', '+'))]
    default: return [(await redis.get(key)) ?? '']
  }
}

async function owners (server: LocalServer, name: string): Promise<string[]> {
  return onServer(server, redis => redis.keys(`${name}:open:*`),
    async client => (await client.query(`SELECT DISTINCT owner FROM ${name}.replays`)).rows.map(row => row.owner))
}

async function jobs (server: LocalServer, name: string): Promise<string[]> {
  return onServer(server, async redis => {
    const states = { completed: await redis.zrange(`bull:${name}:completed`, '0', '-1'), failed: await redis.zrange(`bull:${name}:failed`, '0', '-1') }
    const known = (await redis.keys(`bull:${name}:*`)).map(key => key.split(':')[2]!).filter(id => id.length === 22)
    return known.map(id => states.completed.includes(id) ? 'completed' : states.failed.includes(id) ? 'failed' : 'other')
  }, async client => (await client.query(`SELECT state FROM ${name}_queue.job`)).rows.map(row => String(row.state)))
}

async function replaysLeft (server: LocalServer, name: string): Promise<string[]> {
  return onServer(server, async redis => (await redis.keys(`${name}:*`)).filter(key => !key.startsWith(`${name}:lease:`)),
    async client => (await client.query(`SELECT id FROM ${name}.replays UNION ALL SELECT id FROM ${name}.artefacts`)).rows.map(row => row.id))
}

async function onServer<Result> (server: LocalServer, redisWork: (redis: Redis) => Promise<Result>, postgresWork: (client: pg.Client) => Promise<Result>): Promise<Result> {
  if (server.kind === 'redis') {
    const redis = new Redis(server.url)
    try {
      return await redisWork(redis)
    } finally {
      redis.disconnect()
    }
  }
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  try {
    return await postgresWork(client)
  } finally {
    await client.end()
  }
}

function request (by?: string): CapturedRequest {
  return {
    method: 'POST',
    url: '/captain?log=1',
    httpVersion: '1.1',
    rawHeaders: ['Cookie', 'session=1701'],
    body: Buffer.from('body'),
    connection: { encrypted: false },
    capturedAt: 0,
    ...(by === undefined ? {} : { by })
  }
}
