import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ProfileQueued, Report } from '@geordi/dogslow'
import { survivors, until } from './processes.ts'
import { folder, startAll, toolsOnly } from './started.ts'

/** What dogslow has written to the log of the app. */
function eventsIn (output: string): Array<Report | ProfileQueued> {
  return output.split('\n').flatMap(line => {
    const json = line.slice(line.indexOf('{'))
    if (!json.includes('"dogslow":')) return []
    try {
      return [(JSON.parse(json) as { dogslow: Report | ProfileQueued }).dogslow]
    } catch {
      // The rest of the line is still to come.
      return []
    }
  })
}

test('npm start\'s log has reports of slow routes, with what is slow, the link that profiles it, and its profiling', async () => {
  const started = await startAll({ GEORDI_DATA: join(folder, 'dogslow'), PATH: toolsOnly, DOGSLOW_TIMER: '200', LOG_LEVEL: 'info' })
  try {
    const find = async (path: string, kind: Report['kind']): Promise<Report> => {
      let found: Report | undefined
      await until(() => {
        found = eventsIn(started.output()).find((event): event is Report => event.type === 'report' && event.kind === kind && event.requests[0]?.url === path)
        return found !== undefined
      }, () => `no report of ${path} in\n${started.output()}`, 60_000)
      return found!
    }
    // How they are answered is for other tests to see.
    const ask = (path: string) => { fetch(started.url + path).then(answer => answer.arrayBuffer()).catch(() => {}) }
    ask('/slow/statement?commits=4000')
    const waiting = await find('/slow/statement?commits=4000', 'waiting')
    // What blocks the thread may keep it from the queue for too long.
    await until(() => eventsIn(started.output()).some(({ type, summary }) => type === 'profile' && summary.startsWith('GET /slow/statement is queued for profiling: /__geordi__/')),
      () => `nothing is queued in\n${started.output()}`, 60_000)
    ask('/slow/regex')
    const blocked = await find('/slow/regex', 'blocked')
    assert.match(waiting.summary, /^GET \/slow\/statement\?commits=4000 has been running for .+, waiting .+ for sql .+ in compareMessages \(services\/demo\/src\/slow\/similarity\.ts:\d+\)$/)
    assert.match(blocked.summary, /^GET \/slow\/regex blocks the main thread, running for .+ in (isPlainText|searchCrew) \(services\/demo\/src\/slow\/regex\.ts:\d+\)/)
    assert.deepEqual([waiting, blocked].map(({ requests: [request] }) => request!.link), [`${started.url}/slow/statement?commits=4000&__geordi__`, `${started.url}/slow/regex?__geordi__`])
  } finally {
    started.process.kill('SIGTERM')
    await started.exitCode
    await until(() => survivors(started.family).length === 0, () => 'processes are left')
  }
})
