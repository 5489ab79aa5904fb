import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { LockTimes } from '../src/libraries/lock-times.ts'
import { LockWatch, type OpenStatement, type Sighting } from '../src/libraries/lock-watch.ts'
import { advisoryHolder, metadataHolders, processes, rowLocks } from '../src/libraries/mysql-questions.ts'
import { RequestRecorder } from '../src/request-recorder.ts'

/** Of one statement that began at 0 of this process's clock; the server's clock is 1000 s ahead. */
function timesOf (...looks: Array<{ sent: number, received?: number, since?: number, precision?: number, waits: boolean }>) {
  const times = new LockTimes(0)
  for (const { sent, received = sent, since, precision, waits } of looks) {
    const [open, at] = [{} as OpenStatement<object>, 1000 + sent]
    if (!waits) times.works(sent * 1e6, received * 1e6)
    else times.waits({ open, kind: 'row', holder: `holder at ${sent}`, at, age: sent, ...since !== undefined && { since: 1000 + since }, ...precision !== undefined && { precision } }, sent * 1e6)
  }
  const { least, free, freeSince, holder } = times.seen ?? { least: NaN, free: NaN, holder: '' }
  const seconds = (time: number) => Math.round(time / 1e3) / 1e3
  return { least: seconds(least), free: seconds(free), freeSince: freeSince === undefined ? undefined : seconds(freeSince), holder }
}

test('a statement that was never seen waiting has no lock', () => {
  const times = new LockTimes(0)
  times.works(1, 2)
  assert.equal(times.seen, undefined)
})

test('what lies between two looks that found it waiting counts, and before the first what the server says', () => {
  assert.deepEqual(timesOf({ sent: 1, waits: true }, { sent: 4, waits: true }), { least: 3, free: 0, freeSince: undefined, holder: 'holder at 1' })
  assert.deepEqual(timesOf({ sent: 1, since: 0.25, waits: true }, { sent: 4, since: 0.25, waits: true }), { least: 3.75, free: 0.25, freeSince: undefined, holder: 'holder at 1' })
  // A second is all that the server knows of the beginning.
  assert.deepEqual(timesOf({ sent: 3, since: 2, precision: 1, waits: true }, { sent: 4, since: 2, precision: 1, waits: true }), { least: 2, free: 1, freeSince: undefined, holder: 'holder at 3' })
  assert.deepEqual(timesOf({ sent: 0.5, since: 1, precision: 1, waits: true }), { least: 0, free: 0, freeSince: undefined, holder: 'holder at 0.5' })
})

test('it counts by the server\'s clock, however late this process reads the answers', () => {
  assert.equal(timesOf({ sent: 1, received: 3, since: 0.5, waits: true }).least, 0.5)
})

test('from a look that found it not waiting on, it works; it may wait again', () => {
  assert.deepEqual(timesOf({ sent: 1, since: 0.5, waits: true }, { sent: 2, received: 2.5, waits: false }), { least: 0.5, free: 0.5, freeSince: 2.5, holder: 'holder at 1' })
  const again = timesOf({ sent: 1, since: 0.5, waits: true }, { sent: 2, waits: false }, { sent: 3, waits: false }, { sent: 5, since: 4, waits: true })
  assert.deepEqual(again, { least: 1.5, free: 2.5, freeSince: undefined, holder: 'holder at 1' })
  // Where the server doesn't tell the beginning, it may be right after the look before.
  assert.equal(timesOf({ sent: 1, waits: true }, { sent: 2, waits: false }, { sent: 3, waits: false }, { sent: 5, waits: true }).free, 1)
  // Two locks, one right after the other: each counts from its own beginning.
  assert.equal(timesOf({ sent: 1, since: 0.5, waits: true }, { sent: 3, since: 2, waits: true }).least, 1.5)
})

/** A watch whose server answers when it is told to. */
function startWatch (t: TestContext) {
  const recorder = new RequestRecorder()
  recorder.start()
  let running = true
  t.after(() => { if (running) recorder.stop() })
  const questions: Array<{ readonly open: ReadonlyArray<OpenStatement<object>>, answer (sightings: Array<Sighting<object>>): void }> = []
  let wake = () => {}
  const watch = new LockWatch<object>(recorder, {
    every: 20,
    keyOf: () => 'server',
    connect: () => ({
      ask: open => new Promise(resolve => {
        questions.push({ open, answer: resolve })
        wake()
      }),
      close () {}
    })
  })
  const client = {}
  return {
    open (text: string, client_: object = client) {
      const record = recorder.record(true)
      const wait = recorder.open(record, { kind: 'sql', statement: text })
      watch.add(record, { wait, client: client_, text, target: 'server' })
      return wait
    },
    close: (wait: number) => recorder.close(wait, false),
    async asked () {
      // The watch's own timer keeps no process alive.
      const alive = setInterval(() => {}, 1000)
      while (questions.length === 0) await new Promise<void>(resolve => { wake = resolve })
      clearInterval(alive)
      return questions.shift()!
    },
    async locks () {
      await new Promise(resolve => setImmediate(resolve))
      running = false
      return recorder.stop().locks!
    }
  }
}

test('an answer that a busy process reads after the statement\'s own counts all the same; one that tells of the connection\'s next statement doesn\'t', async t => {
  for (const [age, counts] of [[10, true], [0, false]] as const) {
    const { open, close, asked, locks } = startWatch(t)
    const wait = open('update account')
    const question = await asked()
    close(wait)
    question.answer([{ open: question.open[0]!, kind: 'row', holder: 'somebody', at: 1000, since: 999.95, age }])
    const found = await locks()
    assert.deepEqual(found.map(({ wait, time, holder }) => [wait, Math.round(time / 1000), holder]), counts ? [[wait, 50, 'somebody']] : [])
  }
})

test('of one connection\'s statements the first is asked about: the others wait for it', async t => {
  const { open, asked, locks } = startWatch(t)
  const other = {}
  open('first')
  open('second')
  open('third', other)
  const { open: about, answer } = await asked()
  assert.deepEqual(about.map(({ text }) => text), ['first', 'third'])
  answer([])
  assert.deepEqual(await locks(), [], 'what doesn\'t wait for a lock is none')
})

test('what MySQL is asked has names for its columns, whose own are in capitals in version 8, and knows its tables', () => {
  for (const version of ['8.0.36', '9.1.0', '5.7.44', '10.11.6-MariaDB']) {
    for (const sql of [processes(version), ...rowLocks(version), metadataHolders, advisoryHolder("select get_lock('a', 1)")![0]]) {
      const [, columns = ''] = /^\s*SELECT ([^]*?)\s+FROM /.exec(sql) ?? []
      for (const column of columns.split(', ')) assert.match(column, / AS [a-z]+$/, sql)
    }
    assert.equal(rowLocks(version)[0]!.includes('performance_schema.data_lock_waits'), /^[89]/.test(version))
    assert.equal(processes(version).includes('time_ms'), version.includes('MariaDB'))
  }
})

test('the name of a lock is read out of the statement only where it stands there as it is', () => {
  assert.deepEqual(advisoryHolder("SELECT GET_LOCK( 'orders', 10)")![1], ['orders'])
  for (const sql of ['select get_lock(?, 10)', 'select get_lock(concat(1), 10)', "select get_lock('it\\'s', 10)", 'select 1']) assert.equal(advisoryHolder(sql), undefined, sql)
})

test('where connecting fails at once, nothing is known, and the app goes on', async () => {
  const recorder = new RequestRecorder()
  recorder.start()
  const counts = { looks: 0, tries: 0 }
  const watch = new LockWatch<object>(recorder, {
    every: 5,
    keyOf () {
      counts.looks++
      return 'server'
    },
    connect () {
      counts.tries++
      throw new Error('The app\'s own stream is in use.')
    }
  })
  const driver = recorder.record(true)
  watch.add(driver, { wait: recorder.open(driver, { kind: 'sql', statement: 'update account' }), client: {}, text: 'update account', target: 'server' })
  while (counts.looks < 3) await new Promise(resolve => { setTimeout(resolve, 5) })
  assert.deepEqual([counts.tries, recorder.stop().locks ?? []], [1, []])
})
