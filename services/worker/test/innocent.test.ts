import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { importRecording } from '@geordi/profiler'
import { startLocalServer } from '@geordi/replay/local'
import { findCauses } from '@geordi/report/findings'

/** A machine that is busy with other things may make anything slow for once. What is found in vain is found each time. */
const TRIES = 5

const APP = fileURLToPath(new URL('../../test/fixtures/innocent.mjs', import.meta.url))

/** The app, which records one request after the other: what is cheap to try, where a replay process each would take a minute. */
async function start (t: TestContext) {
  const server = await startLocalServer({ kind: 'postgres' })
  const folder = await mkdtemp(join(tmpdir(), 'geordi-innocent-'))
  const app = fork(APP, { env: { ...process.env, DATABASE_URL: server.url, FOLDER: folder } })
  const ended = once(app, 'exit')
  t.after(async () => {
    try {
      app.kill('SIGKILL')
      await ended
    } finally {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
  const answer = async () => {
    const [message] = await Promise.race([once(app, 'message'), ended.then(([code]) => { throw new Error(`The app has ended with ${code}.`) })]) as [{ routes: string[], url: string }]
    return message
  }
  const { routes, url } = await answer()
  const file = join(folder, 'recorded.json')
  const ask = async (message: object) => {
    const answered = answer()
    app.send(message)
    await answered
  }
  const findingsOf = async (route: string) => {
    await ask({ record: true })
    const response = await fetch(`${url}/${route}`)
    const body = await response.text()
    assert.equal(response.status, 200, body)
    await ask({ save: file })
    const profile = importRecording(await readFile(file))
    return (await findCauses(profile)).map(({ cause, title, evidence, places }) => `${cause}: ${title}, ${evidence.join(', ')} ${places[0]?.location}`)
  }
  return { routes, findingsOf }
}

test('nothing is found in what requests do as they should', { timeout: 300_000 }, async t => {
  const { routes, findingsOf } = await start(t)
  assert.ok(routes.length >= 20)
  for (const route of routes) {
    let found: string[] = []
    for (let attempt = 0; attempt < TRIES; attempt++) {
      found = await findingsOf(route)
      if (found.length === 0) break
      t.diagnostic(`${route}, once: ${found.join('; ')}`)
    }
    assert.deepEqual(found, [], route)
  }
  assert.match((await findingsOf('guilty')).join(), /^n-plus-one: The same statement 400 times/)
})
