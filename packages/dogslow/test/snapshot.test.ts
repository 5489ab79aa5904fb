import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { startLocalServer } from '@geordi/replay/local'
import { SNAPSHOTS, type SnapshotAnswer, type SnapshotQuestion } from '../src/interrupt.ts'
import { atEnd, gate, start, until } from './support.ts'

function answerOf (question: Partial<SnapshotQuestion>): SnapshotAnswer {
  const answers = (globalThis as unknown as Record<symbol, Map<string, (question: SnapshotQuestion) => string>>)[SNAPSHOTS]!
  const [answer] = [...answers.values()].slice(-1)
  return JSON.parse(answer!({ purpose: 'stopped', cause: 'SIGTERM', deadline: Infinity, report: 'r1', ...question } as SnapshotQuestion)) as SnapshotAnswer
}

test('what an interrupt runs has no regular expression in it, which would corrupt one that was interrupted', async t => {
  const server = await startLocalServer({ kind: 'redis' })
  atEnd(t, () => server.stop())
  const client = new Redis(server.url)
  atEnd(t, () => client.disconnect())
  await client.ping()
  const held = gate(t)
  const running = await start(t, { threshold: 100, ignore: ['/ignored/*'], waits: { budget: 0 } }, app => {
    app.get('/held/:id', async () => { await Promise.race([client.blpop('queue', 0), held.wait()]) })
  })
  const answers = [running.ask('/held/1?token=secret&apiKey=1&back=%2Flogin%3Fcode%3D2')]
  await until(() => running.reports().length > 0)
  answers.push(running.ask('/held/2?a=1&password=x'))

  // With another `exec`, each use of a regular expression comes by here.
  const { exec } = RegExp.prototype
  const used: string[] = []
  const told: SnapshotAnswer[] = []
  for (const purpose of ['stopped', 'blocked'] as const) {
    // eslint-disable-next-line no-extend-native -- to watch it
    RegExp.prototype.exec = function (text) {
      used.push(String(this.source))
      return exec.call(this, text)
    }
    try {
      told.push(answerOf({ purpose }))
    } finally {
      // eslint-disable-next-line no-extend-native -- as it was
      RegExp.prototype.exec = exec
    }
  }
  assert.deepEqual(used, [])
  const [stopped] = told
  assert.ok(stopped?.type === 'report')
  assert.deepEqual(stopped.report.requests[0]!.url, '/held/1?token=***&apiKey=***&back=***')
  assert.equal(stopped.report.unassigned!.waits[0]!.statement, 'blpop')
  held.open()
  await client.disconnect()
  await Promise.all(answers)
})

test('pages of geordi\'s, which wait for a replay, are left alone', async t => {
  const held = gate(t)
  const running = await start(t, { repeatAfter: 0 }, app => {
    app.decorate('geordi', { prefix: '/__geordi__', profile: async () => ({ id: '1', url: '/' }) })
    app.get('/__geordi__/:id', held.wait)
    app.get('/__geordi__bis', held.wait)
  })
  const answers = [running.ask('/__geordi__/1?wait'), running.ask('/__geordi__bis')]
  await until(() => running.reports().length > 0)
  assert.deepEqual(running.reports().map(({ requests: [request] }) => request!.url), ['/__geordi__bis'])
  held.open()
  await Promise.all(answers)
})
