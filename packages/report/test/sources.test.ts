import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Profile } from '@geordi/profile'
import { renderReport } from '../src/index.ts'
import { needsPdftotext, textOf } from './pdf-tools.ts'
import { FULL_RUN, profileOf } from './profile-builder.ts'

const CODE = `class Session { save () {} }
app.get('/x', () => {})
//# sourceMappingURL=gone.map`

describe('sources in the report', () => {
  let folder: string
  let profile: Profile

  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'geordi-report-')))
    mkdirSync(join(folder, 'node_modules/lib'), { recursive: true })
    writeFileSync(join(folder, 'app.js'), CODE)
    writeFileSync(join(folder, 'node_modules/lib/package.json'), '{"name":"lib","version":"3.2.1"}')
    const made = profileOf([[['', 'save', 'read'], 1000], [['(garbage collector)'], 10]], { process: { ...FULL_RUN.process!, root: folder } })
    const url = pathToFileURL(join(folder, 'app.js')).href
    const places: Record<string, object> = {
      '': { url, line: 2, column: 15 },
      save: { url, line: 1, column: 22 },
      read: { url: pathToFileURL(join(folder, 'node_modules/lib/i.js')).href }
    }
    profile = { ...made, frames: made.frames.map(frame => ({ ...frame, ...places[frame.name] })) }
  })
  after(() => rmSync(folder, { recursive: true }))

  test('give names, versions and a note on a source map that isn\'t there', needsPdftotext, async () => {
    const pages = textOf(await renderReport(profile)).map(page => page.replace(/\s+/g, ' '))
    for (const page of pages.slice(0, 2)) {
      for (const part of ['Session.save', "app.get('/x') handler", 'app.js:2', "The source map of app.js can't be used: it isn't there"]) {
        assert.ok(page.includes(part), `"${part}" isn't in: ${page}`)
      }
    }
    assert.match(pages[0]!, /lib@3\.2\.1\/i\.js/)
  })

  test('can be left alone', needsPdftotext, async () => {
    const text = textOf(await renderReport(profile, { sources: false })).join()
    for (const part of ['Session.save', 'handler', 'source map', '3.2.1']) assert.ok(!text.includes(part), part)
    assert.match(text, /\(anonymous\)/)
  })

  test('the option takes a boolean', async () => {
    await assert.rejects(renderReport(profile, { sources: 'no' as unknown as boolean }), { code: 'GEORDI_REPORT_BAD_OPTION', message: /"sources"/ })
  })
})
