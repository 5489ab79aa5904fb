import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Profile } from '@geordi/profile'
import { renderReport, type ReportOptions } from '../src/index.ts'
import { needsPdftotext, rawTextOf } from './pdf-tools.ts'
import { FULL_RUN, profileOf, tangledProfile } from './profile-builder.ts'
import { waitingProfile } from './waiting-profile.ts'

/**
 * What the pages say, in the order in which it is drawn and read out. `UPDATE_GOLDEN=1` writes the files anew; look at their
 * differences before they are committed.
 */
const FOLDER = new URL('../../test/golden/', import.meta.url)
const UPDATE = process.env.UPDATE_GOLDEN === '1'

const SMALL: Profile = profileOf([
  [['handleRequest', 'parseBody'], 100_000],
  [['handleRequest', 'renderPage', 'escapeHtml'], 400_000],
  [['handleRequest', 'renderPage', 'renderPage', ''], 50_000],
  [['(garbage collector)'], 30_000],
  [['(program)'], 20_000],
  [['(idle)'], 300_000]
], FULL_RUN)

const CASES: Readonly<Record<string, readonly [Profile, ReportOptions?]>> = {
  small: [SMALL],
  'small-three': [SMALL, { graph: { maxNodes: 3 } }],
  'small-partial': [{ ...SMALL, run: { ...FULL_RUN, ended: 'the process exited with code 7' } }],
  'small-root-by-file': [SMALL, { graph: { root: 'renderPage', granularity: 'file' } }],
  tangled: [tangledProfile(1), { graph: { maxNodes: 20 } }],
  waiting: [profileOf([[['(idle)'], 970_000], [['(program)'], 30_000]], FULL_RUN)],
  waits: [waitingProfile()],
  'waits-own-cpu': [waitingProfile(), { graph: { time: 'cpu', focus: 'own' } }],
  'waits-only-by-package': [waitingProfile(), { graph: { time: 'wait', granularity: 'package' } }],
  nothing: [profileOf([])]
}

for (const [name, [profile, options]] of Object.entries(CASES)) {
  test(`the pages of ${name} say what they said`, needsPdftotext, async () => {
    const text = rawTextOf(await renderReport(profile, { layoutTimeLimit: 60_000, createdAt: new Date(0), ...options })).join('\n----\n')
    const file = new URL(`${name}.txt`, FOLDER)
    if (UPDATE) {
      mkdirSync(FOLDER, { recursive: true })
      writeFileSync(file, text)
    }
    assert.equal(text, readFileSync(file, 'utf8'), `if ${name}.txt should change: UPDATE_GOLDEN=1`)
  })
}
