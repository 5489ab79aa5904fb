import { stat } from 'node:fs/promises'
import { recordWaits } from '@geordi/waits'

// How much memory a recording takes: node dist/bench/memory.js [operations]. Past `memory` of its options it only counts.

const operations = Number(process.argv[2] ?? 1_000_000)
const megabytes = () => Math.round(process.memoryUsage().rss / 2 ** 20)

async function look (): Promise<void> {
  await stat(import.meta.filename)
}

const before = megabytes()
const recorder = recordWaits({ budget: Infinity })
await recorder.run(async () => {
  for (let turn = 0; turn < operations; turn++) await look()
})
const after = megabytes()
const { waits, records, cost } = recorder.stop()
const counted = new Map(waits.counted?.map(({ wait, count }) => [wait, count]))
const all = waits.operation.reduce((sum, _, wait) => sum + (counted.get(wait) ?? 1), 0)
console.log(`${all} waits in ${waits.operation.length} rows and ${records.parent.length} records: ${after - before} MB; counted since ` +
  `${cost.countsSince === undefined ? 'never' : `${((cost.countsSince - waits.start[0]!) / 1e6).toFixed(1)} s`}`)
