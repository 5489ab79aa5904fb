import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findRedisServer } from '@geordi/replay/local'
import { familyOf, survivors, until } from './processes.ts'
import { folder, run, startAll, startEntry, toolsOnly } from './started.ts'
import type { Process } from './processes.ts'

async function assertUsable (url: string): Promise<void> {
  const login = await fetch(`${url}/login`, { method: 'POST', body: new URLSearchParams({ username: 'picard', password: 'engage' }), redirect: 'manual' })
  assert.equal(login.status, 303)
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const page = await fetch(url, { headers: { accept: 'text/html', cookie } })
  assert.equal(page.status, 200)
  const text = await page.text()
  assert.match(text, /warp-core/)
  assert.match(text, /picard/)
  const cached = await (await fetch(`${url}/slow/cache?n=2`)).json() as { hits: number }
  assert.equal(cached.hits, 2)
}

const namesOf = (processes: readonly Process[]) => processes.map(({ pid, command }) => `${pid} ${command}`)
const allGone = (family: readonly Process[]) => until(() => survivors(family).length === 0, () => `still there: ${namesOf(survivors(family)).join('\n')}`)

/** The processes that have to be there, so that a test which sees them all gone has seen something. */
function assertComplete (family: readonly Process[], server: RegExp): void {
  for (const part of [/start\.js/, /server\.js/, /cli\.js worker/, /guard\.js/, /postgres.* -D /, server]) {
    assert.ok(family.some(({ command }) => part.test(command)), `${part} in\n${namesOf(family).join('\n')}`)
  }
}

for (const kind of ['postgres', 'redis'] as const) {
  const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'
  const server = kind === 'redis' ? /(?:redis|valkey)-server 127\.0\.0\.1:/ : /postgres: /

  describe(`npm start with its queue in ${kind}`, { skip }, () => {
    const data = join(folder, kind)
    const env = { GEORDI_DATA: data, ...kind === 'postgres' && { PATH: toolsOnly } }

    test('brings everything up, and an interrupt ends it all in order', async () => {
      const started = await startAll(env)
      try {
        await assertUsable(started.url)
        assertComplete(started.family, server)
        assert.equal(existsSync(join(data, 'redis')), kind === 'redis')
        assert.match(started.output(), /picard \/ engage[\s\S]*wesley \/ shutup[\s\S]*\/slow\/cpu\?ms=500&__geordi__/)
        const family = familyOf(started.process.pid ?? 0)
        // Two, as under npm, which hands on what the terminal has sent already. (Two of a kind would become one.)
        started.process.kill('SIGINT')
        started.process.kill('SIGTERM')
        assert.equal(await started.exitCode, 0)
        // Not waited for: who sees the prompt again may count on it.
        assert.deepEqual(namesOf(survivors(family)), [])
        assert.doesNotMatch(started.output(), /error|ended by itself/i)
      } finally {
        started.process.kill('SIGKILL')
      }
    })

    test('keeps sessions and data over a restart; killed with -9 it leaves no process behind', async () => {
      const secrets = readFileSync(join(data, 'secrets.json'), 'utf8')
      assert.equal(statSync(join(data, 'secrets.json')).mode & 0o777, 0o600)
      const started = await startAll(env)
      assertComplete(started.family, server)
      await assertUsable(started.url)
      assert.equal(readFileSync(join(data, 'secrets.json'), 'utf8'), secrets)
      const family = familyOf(started.process.pid ?? 0)
      started.process.kill('SIGKILL')
      await allGone(family)
    })
  })
}

describe('npm start', () => {
  // All on the data that the suite above has left, which makes them quick.
  const env = () => ({ GEORDI_DATA: join(folder, 'postgres'), PATH: toolsOnly })

  test('ends when npm, its parent, is killed with -9', async () => {
    const npm = 'process.env.GEORDI_STARTED_BY = process.pid; require("node:child_process").spawn(process.execPath, [process.argv[1]], { stdio: "inherit" }); setInterval(() => {}, 1000)'
    const started = await startAll(env(), ['-e', npm, startEntry])
    assertComplete(started.family, /postgres: /)
    started.process.kill('SIGKILL')
    await allGone(started.family)
  })

  for (const [who, part] of [['the demo app', /die-with-parent\.js \S+server\.js$/], ['the worker', /cli\.js worker/], ['PostgreSQL', / -D /]] as const) {
    test(`says so when ${who} dies, and ends the others`, async () => {
      const started = await startAll(env())
      const victim = started.family.find(({ command, parent }) => part.test(command) && (parent === started.process.pid || who === 'PostgreSQL'))
      assert.ok(victim, namesOf(started.family).join('\n'))
      process.kill(victim.pid, 'SIGKILL')
      assert.equal(await started.exitCode, 1)
      assert.match(started.output(), who === 'PostgreSQL' ? /postgres ended by itself \(SIGKILL\)/ : new RegExp(`geordi: ${who} ended by itself \\(SIGKILL\\)`))
      // The replay process of a worker that was killed ends by itself.
      await allGone(started.family)
    })
  }

  test('does not begin when npm was killed while it installed or built', async () => {
    const started = run({ ...env(), GEORDI_STARTED_BY: '1000000000' })
    assert.equal(await started.exitCode, 1)
    assert.equal(started.output(), '')
  })

  for (const [name, value, message] of [
    ['REDIS_URL', 'redis://127.0.0.1:1', /REDIS_URL names a server that can't be used: .*ECONNREFUSED/],
    ['GEORDI_QUEUE_URL', 'no url', /GEORDI_QUEUE_URL: Option `queue\.url` must be a redis:/],
    ['DATABASE_URL', 'postgres://127.0.0.1:1/x', /DATABASE_URL names a server that can't be used: .*ECONNREFUSED/],
    ['DATABASE_URL', 'mysql://127.0.0.1/x', /DATABASE_URL must be a postgres:/],
    ['GEORDI_SECRET', 'short', /GEORDI_SECRET: Option `secret` must be a string of at least 32/]
  ] as const) {
    test(`with ${name}=${value}: a clear error, and nothing is started`, async () => {
      const started = run({ ...env(), [name]: value })
      assert.equal(await started.exitCode, 1)
      assert.match(started.output(), message)
      assert.doesNotMatch(started.output(), /^ +at /m, 'no stack, which is for bugs')
      assert.doesNotMatch(started.output(), /ready/)
    })
  }

  test('with a port that is taken: a clear error, and nothing is started', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const { port } = blocker.address() as { port: number }
    try {
      const data = join(folder, 'unused')
      const started = run({ ...env(), GEORDI_DATA: data, PORT: String(port) })
      assert.equal(await started.exitCode, 1)
      assert.match(started.output(), new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is taken`))
      assert.ok(!existsSync(data))
    } finally {
      blocker.close()
    }
  })
})

describe('the server by itself', () => {
  test('names the setting it lacks', async () => {
    const started = run({}, [fileURLToPath(new URL('../src/server.js', import.meta.url))])
    assert.equal(await started.exitCode, 1)
    assert.match(started.output(), /^demo: DATABASE_URL is not set/)
  })
})
