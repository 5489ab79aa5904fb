import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceNotes } from '../src/source-notes.ts'

test('source maps of packages aren\'t the reader\'s business; many broken ones are one note', () => {
  const run = { process: { hostname: 'h', pid: 1, node: 'v20.20.2', root: '/srv/app' } }
  const note = (path: string) => ({ url: `file:///srv/app/${path}`, problem: 'it isn\'t JSON' })
  assert.deepEqual(sourceNotes([note('node_modules/x/i.js')], run), [])
  assert.deepEqual(sourceNotes([], run), [])
  assert.match(sourceNotes([note('a.js'), note('node_modules/x/i.js')], run).join(), /^The source map of a\.js can't be used: it isn't JSON\. /)
  assert.match(sourceNotes([note('a.js'), note('b.js')], run).join(), /can't be used, nor that of another script: it isn't JSON/)
  assert.match(sourceNotes([note('a.js'), note('b.js'), note('c.js')], run).join(), /nor those of 2 other scripts/)
})
