/**
 * How much memory a replay process takes for a long request: `npm run long-run -w @geordi/worker [MINUTES]`. Ten minutes
 * of pure CPU unless told otherwise; Linux, for what `/proc` tells.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { importCpuProfile } from '@geordi/profile'
import type { CapturedRequest } from '@geordi/replay'
import { resolveEntry } from '../src/app-entry.ts'
import { ReplayChild } from '../src/replay-child.ts'

const minutes = Number(process.argv[2] ?? 10)
const request: CapturedRequest = {
  method: 'GET',
  url: '/busy',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'bench'],
  body: new Uint8Array(),
  connection: { encrypted: false, remoteAddress: '127.0.0.1', remotePort: 1 },
  capturedAt: Date.now()
}

const child = await ReplayChild.start({
  app: resolveEntry(fileURLToPath(new URL('../../bench/fixtures/busy.js', import.meta.url))),
  startTimeout: 60_000,
  interval: 1000,
  waits: true,
  values: false,
  closeTimeout: 1000,
  output: process.stderr
})
await child.prepare(request)
const replay = child.replay(request)
replay.catch(() => {})
// What the request's first seconds take is the app's: its code is compiled, its heap grows to its size.
await delay(20_000)
const { pid } = (await child.snapshot())!.run.process!
const first = await residentMegabytes(pid)
let most = first
for (const end = Date.now() + minutes * 60_000; Date.now() < end;) {
  await delay(1000)
  most = Math.max(most, await residentMegabytes(pid))
}
await child.interrupt(new Error('The time is over.'))
await replay.catch(() => {})
const { profile } = child.partial!
const { samples, tree, run } = importCpuProfile(profile)
console.log(`${minutes} min: ${first.toFixed(0)} MB at the beginning, at most ${most.toFixed(0)} MB, ${(most - first).toFixed(0)} MB more`)
console.log(`${samples.node.length} samples, ${tree.frame.length} nodes, ${(profile.length / 1e6).toFixed(1)} MB of profile, ${((run.wallTime ?? 0) / 1e6).toFixed(1)} s, interval ${run.profiler?.interval} to ${run.profiler?.widest ?? run.profiler?.interval} µs`)

async function residentMegabytes (pid: number): Promise<number> {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))!
  return Number(kilobytes) / 1024
}
