import assert from 'node:assert/strict'
import type { Profile } from '@geordi/profile'
import type { Finding } from '../src/findings/finding.ts'
import { findIn } from '../src/findings/index.ts'
import { lookAt } from '../src/waits/look.ts'
import { RunBuilder, type TestWait } from './run-builder.ts'

export async function find (run: RunBuilder | Profile): Promise<Finding[]> {
  return await findIn(lookAt(run instanceof RunBuilder ? run.profile() : run))
}

/** What is found first, and that it's this. */
export async function first (run: RunBuilder | Profile, cause: string): Promise<Finding> {
  const found = await find(run)
  assert.equal(found[0]?.cause, cause, JSON.stringify(found.map(({ cause, title }) => [cause, title])))
  return found[0]!
}

export async function assertNone (run: RunBuilder | Profile): Promise<void> {
  assert.deepEqual((await find(run)).map(({ cause, title }) => `${cause}: ${title}`), [])
}

export const locations = ({ places }: Finding) => places.map(({ label, location }) => `${label} ${location}`)

export const AUTHOR: TestWait = { statement: 'select author from commits where id = $1', parameters: true, rows: 1, stack: ['handler:3', 'countAuthors:12', 'loadAuthor:20', 'query in pg:99'] }
