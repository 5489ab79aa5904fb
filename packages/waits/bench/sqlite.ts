import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { recordWaits } from '@geordi/waits'

// What recording costs of statements that take some microseconds: node dist/bench/sqlite.js [folder that has better-sqlite3 installed]. Its aim is 1.3.
// Without a folder it takes node:sqlite, which Node 20 doesn't have.

const STATEMENTS = 20_000
const ROUNDS = 15

interface Database {
  exec (sql: string): unknown
  prepare (sql: string): { get (id: number): { name: string } }
}

const [, , app] = process.argv
if (app === undefined && !isBuiltin('node:sqlite')) throw new Error('This Node has no node:sqlite; name a folder that has better-sqlite3 installed.')
// The patches find the package when it is loaded, and what is there already now.
recordWaits().stop()
const folder = mkdtempSync(join(tmpdir(), 'geordi-sqlite-'))
try {
  for (const [what, path] of [['in a file', join(folder, 'database')], ['in memory', ':memory:']] as const) {
    const database = open(path)
    recordWaits().stop()
    const columns = Array.from({ length: 8 }, (_, at) => `column${at}`)
    database.exec(`create table item (id integer primary key, name text, ${columns.join(', ')})`)
    database.exec(`with recursive n(id) as (select 1 union all select id + 1 from n where id < 1000)
      insert into item select id, 'item ' || id, ${columns.map(column => `'${column} of ' || id`).join(', ')} from n`)
    measure(`a row ${what}`, database.prepare('select * from item where id = ?'))
    measure(`a column ${what}`, database.prepare('select name from item where id = ?'))
  }
} finally {
  rmSync(folder, { recursive: true })
}

function open (path: string): Database {
  const require = createRequire(pathToFileURL(`${app ?? '.'}/app.js`))
  return app === undefined ? new (require('node:sqlite').DatabaseSync)(path) : new (require('better-sqlite3'))(path)
}

function measure (what: string, statement: ReturnType<Database['prepare']>): void {
  const nameOf = (id: number) => statement.get(id).name
  const run = () => {
    let length = 0
    for (let turn = 0; turn < STATEMENTS; turn++) length += nameOf(turn % 1000 + 1).length
    return length
  }
  const without: number[] = []
  const within: number[] = []
  let told = ''
  for (let round = 0; round <= ROUNDS; round++) {
    const bare = timeOf(run)
    const recorder = recordWaits()
    const recorded = timeOf(() => recorder.run(run))
    const { waits, cost } = recorder.stop()
    // The first round only warms up.
    if (round === 0) continue
    without.push(bare)
    within.push(recorded)
    told = `${waits.operation.length} counted, ${cost.captures} stacks`
  }
  const [bare, recorded] = [Math.min(...without), Math.min(...within)]
  console.log(`${what}: ${(bare / STATEMENTS * 1000).toFixed(2)} µs, recorded ${(recorded / STATEMENTS * 1000).toFixed(2)} µs: ${(recorded / bare).toFixed(2)} times; ${told}`)
}

function timeOf (work: () => void): number {
  const start = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - start) / 1e6
}
