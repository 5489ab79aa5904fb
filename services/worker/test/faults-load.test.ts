import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { Replays } from '@geordi/replay'
import type { LocalServer } from '@geordi/replay/local'
import { endLeases, idleWorker, onEachServer, onServer, Site, sitesEndWithTests, type IdleWorker } from './faults-support.ts'
import { SECRET } from './queue.ts'
import { get, until } from './support.ts'

const ADMINS = 200
const FINISHED = 60
const KEPT = 20

onEachServer('many replays', server => {
  sitesEndWithTests()

  it(`of ${ADMINS} admins who ask at once are all queued, in order, and all run, each once`, async t => {
    const site = await Site.open(server())
    // What the server has to hold is made at the first use.
    const first = await site.flag('/fine?first')
    const ids = await Promise.all(Array.from({ length: ADMINS }, (_, index) => site.flag(`/fine?${index}`, `ensign ${index}`)))
    const places = async () => (await Promise.all(ids.map(async id => (await site.look(id)).place!))).toSorted((one, other) => one - other)
    const expected = Array.from({ length: ADMINS }, (_, index) => index + 2)
    // On a busy machine some are refused at first: what was half queued then is withdrawn.
    await until(async () => isDeepStrictEqual(await places(), expected), 'each has a place of its own', 120_000)
    const { ran } = await idle(t, server(), site.name)
    await until(() => ran.length > ADMINS, 'all are run')
    // Four at once: which of them ends first is nobody's promise.
    assert.deepEqual(ran.toSorted(), [first, ...ids].toSorted())
    assert.deepEqual(site.runs(), [], 'none in the web process')
  })

  it('that are finished leave no more than are to be kept', async t => {
    const name = `load${process.pid}`
    const first = await Replays.open({ url: server().url, name, secret: SECRET, role: 'worker', retentionCount: KEPT, maxOpenPerAdmin: FINISHED })
    t.after(() => first.close())
    // Makes what the server has to hold; a busy machine takes longer for that than `submit` waits.
    await first.forget()
    const { ran } = await idle(t, server(), name)
    const sizes: number[] = []
    for (let round = 1; round <= 3; round++) {
      for (let count = 0; count < FINISHED;) {
        // What is too late for its deadline is not queued.
        await first.submit(get('/fine')).then(() => count++, () => {})
      }
      await until(() => ran.length === FINISHED * round, 'they are finished')
      await endLeases(server(), name)
      await first.forget()
      sizes.push(await kept(server(), name))
    }
    assert.deepEqual(sizes, [KEPT, KEPT, KEPT])
  })
})

async function idle (t: TestContext, server: LocalServer, name: string): Promise<IdleWorker> {
  const worker = await idleWorker(server, name)
  t.after(() => worker.close())
  return worker
}

/** How many replays the server holds anything of, leases apart, which go by themselves. */
async function kept (server: LocalServer, name: string): Promise<number> {
  let count = 0
  await onServer(server, async redis => {
    const [replays, inKept, inSizes] = await Promise.all([redis.keys(`${name}:replay:*`), redis.zcard(`${name}:kept`), redis.hlen(`${name}:sizes`)])
    count = Math.max(replays.length, inKept, inSizes)
  }, async client => {
    const { rows } = await client.query(`SELECT (SELECT count(*) FROM ${name}.replays)::integer AS replays, (SELECT count(DISTINCT id) FROM ${name}.artefacts)::integer AS artefacts`)
    count = Math.max(rows[0].replays, rows[0].artefacts)
  })
  return count
}
