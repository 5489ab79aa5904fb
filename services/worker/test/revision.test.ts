import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { findRevision } from '../src/child/revision.ts'
import { temporary } from './support.ts'

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const SHORT = '0123456789ab'

/** A folder in a repository whose git holds these files. */
function repository (files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(temporary, 'repository-'))
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${text}\n`)
  }
  const app = join(root, 'services', 'app')
  mkdirSync(app, { recursive: true })
  return app
}

/** What git holds, by how the commit is checked out. */
const CHECKED_OUT: Readonly<Record<string, Record<string, string>>> = {
  'a branch': { '.git/HEAD': 'ref: refs/heads/main', '.git/refs/heads/main': COMMIT },
  'a branch that was packed': { '.git/HEAD': 'ref: refs/heads/main', '.git/packed-refs': `# pack-refs with: peeled\n${'f'.repeat(40)} refs/heads/other\n${COMMIT} refs/heads/main` },
  'a commit': { '.git/HEAD': COMMIT },
  'a worktree': { '.git': 'gitdir: elsewhere/worktrees/one', 'elsewhere/worktrees/one/HEAD': 'ref: refs/heads/main', 'elsewhere/worktrees/one/commondir': '../..', 'elsewhere/refs/heads/main': COMMIT }
}

describe('the revision of an app', () => {
  for (const [what, files] of Object.entries(CHECKED_OUT)) {
    it(`is what git has checked out: ${what}`, () => {
      assert.equal(findRevision(repository(files), {}), SHORT)
    })
  }

  it('is what the environment says, where that is one', () => {
    const folder = repository(CHECKED_OUT['a commit']!)
    assert.equal(findRevision(folder, { GIT_COMMIT: 'ABCDEF0123456789' }), 'abcdef012345')
    for (const text of ['', 'main', '<b>']) assert.equal(findRevision(folder, { GIT_COMMIT: text }), SHORT)
  })

  it('is unknown where git says nothing that could be one', () => {
    for (const head of ['', 'ref: refs/heads/none', 'ref: ../../secret', 'not a commit']) assert.equal(findRevision(repository({ '.git/HEAD': head }), {}), undefined)
  })
})
