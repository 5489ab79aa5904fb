import { startLocalServer } from '@geordi/replay/local'
import { recordWaits } from '@geordi/waits'
import pg from 'pg'

// What recording costs: 10,000 awaited queries over a loopback TCP connection, recorded and not, in turns. Its aim is 1.3.

const QUERIES = 10_000
const ROUNDS = 5

const server = await startLocalServer({ kind: 'postgres' })
try {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query("create temp table item as select n as id, 'item ' || n as name from generate_series(1, 1000) as n")
  await client.query('create index on item (id)')

  const nameOf = async (id: number) => {
    const { rows: [row] } = await client.query<{ name: string }>('select name from item where id = $1', [id])
    return row!.name
  }
  const run = async () => {
    let length = 0
    for (let turn = 0; turn < QUERIES; turn++) length += (await nameOf(turn % 1000 + 1)).length
    return length
  }
  const recorded = async () => {
    const recorder = recordWaits({ budget: Infinity })
    const start = process.hrtime.bigint()
    await recorder.run(run)
    const time = Number(process.hrtime.bigint() - start) / 1e6
    return { time, cost: recorder.stop().cost }
  }
  const plain = async () => {
    const start = process.hrtime.bigint()
    await run()
    return Number(process.hrtime.bigint() - start) / 1e6
  }

  const without: number[] = []
  const within: number[] = []
  let told = 0
  for (let round = 0; round <= ROUNDS; round++) {
    const bare = await plain()
    const { time, cost } = await recorded()
    // The first round only warms up.
    if (round === 0) continue
    without.push(bare)
    within.push(time)
    told = cost.time / 1000
  }
  const least = (times: readonly number[]) => Math.min(...times)
  console.log(`${QUERIES} queries: ${least(without).toFixed(0)} ms, recorded ${least(within).toFixed(0)} ms: ${(least(within) / least(without)).toFixed(2)} times; ` +
    `${((least(within) - least(without)) / QUERIES * 1000).toFixed(1)} µs a query. The recorder says itself that it took ${told.toFixed(0)} ms.`)
  await client.end()
} finally {
  await server.stop()
}
