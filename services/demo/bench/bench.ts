/**
 * `npm run bench`: what geordi costs a request that is not flagged, and how long an admin waits for a report
 * beyond the request's own time. Ratios are of pairs measured in turn, so they hold while the machine's speed drifts.
 */
import { cpus } from 'node:os'
import { findRedisServer } from '@geordi/replay/local'
import { measureLatency } from './latency.ts'
import { measureOverhead } from './overhead.ts'

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)

await measureOverhead()
for (const kind of ['redis', 'postgres'] as const) {
  if (kind === 'redis' && findRedisServer() === null) console.log('\nredis: not measured, there is no redis-server or valkey-server on the PATH')
  else await measureLatency(kind)
}
