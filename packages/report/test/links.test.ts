import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Frame } from '@geordi/profile'
import { renderReport, ReportError, type SourceLink } from '../src/index.ts'
import { linkToSource } from '../src/source-link.ts'
import { needsQpdf, objectsOf, qpdfCheck } from './pdf-tools.ts'
import { FULL_RUN, profileOf, tangledProfile } from './profile-builder.ts'

const COMMIT: SourceLink = { template: 'https://git.example/app/blob/{commit}/{relative}#L{line}', commit: '1a2b3c' }

function frame (url: string, more: Partial<Frame> = {}): Frame {
  return { name: 'f', url, line: 3, column: 7, ...more }
}

/** The PDF's strings after a key, as they are written. */
function strings (objects: string, key: string): string[] {
  return Array.from(objects.matchAll(new RegExp(`/${key} \\(((?:[^()\\\\]|\\\\.)*)\\)`, 'g')), ([, text]) => text as string)
}

describe('links in the PDF', () => {
  const profile = tangledProfile(1, 40, FULL_RUN)

  test('lead from each box to its row and back', needsQpdf, async () => {
    const pdf = await renderReport(profile, { graph: { maxNodes: 15 } })
    assert.match(qpdfCheck(pdf), /No syntax or stream encoding errors/)
    const objects = objectsOf(pdf)
    const targets = strings(objects, 'D')
    const places = Array.from(objects.matchAll(/\((box-\d+|row-\d+)\)\s+\[/g), ([, name]) => name as string)
    for (const kind of ['box', 'row']) {
      assert.equal(new Set(targets.filter(name => name.startsWith(kind))).size, 15)
      assert.equal(new Set(places.filter(name => name.startsWith(kind))).size, 15, places.join())
    }
  })

  test('lead to the source, if asked for', needsQpdf, async () => {
    const urls = async (sourceLink?: SourceLink) => {
      return strings(objectsOf(await renderReport(profileOf([[['main', 'work'], 1000]], FULL_RUN), sourceLink && { sourceLink })), 'URI')
    }
    assert.deepEqual(await urls(), [])
    assert.deepEqual(Array.from(new Set(await urls({ template: 'vscode://file/{path}:{line}:{column}' }))).sort(),
      ['vscode://file/srv/app/src/main.js:2:2', 'vscode://file/srv/app/src/work.js:3:2'])
    assert.ok((await urls(COMMIT)).includes('https://git.example/app/blob/1a2b3c/src/work.js#L3'))
  })

  test('are an outline of pages and tables', needsQpdf, async () => {
    const objects = objectsOf(await renderReport(profile))
    const titles = strings(objects, 'Title')
    for (const title of ['Summary', 'Top functions by self time', 'Top functions by total time', 'Call graph', 'Functions']) {
      assert.ok(titles.includes(title), `${title} isn't in ${titles.join(', ')}`)
    }
    // PDFKit computes the left edge of any other kind of target wrongly.
    for (const target of objects.matchAll(/\/Dest \[([^\]]*)\]/g)) assert.match(target[1] as string, /\/Fit/)
  })
})

describe('linkToSource', () => {
  const run = { process: { ...FULL_RUN.process!, root: '/srv/my app' } }

  test('fills the template with the original place', () => {
    const link = linkToSource({ template: 'editor://{path}?{line},{column}' }, run)
    assert.equal(link(frame('file:///srv/my%20app/a%23b.js')), 'editor://srv/my%20app/a%23b.js?3,7')
    const original = { url: 'file:///srv/my%20app/src/a.ts', line: 30, column: 1 }
    assert.equal(link(frame('file:///srv/my%20app/a.js', { source: { original } })), 'editor://srv/my%20app/src/a.ts?30,1')
    assert.equal(link(frame('file:///C:/code/a.js')), 'editor://C:/code/a.js?3,7')
    assert.equal(link(frame('/srv/old/style.js', { line: 0 })), 'editor://srv/old/style.js?1,7')
  })

  test('gives none to what isn\'t a file, or, with {relative}, outside of the root or in node_modules', () => {
    const link = linkToSource(COMMIT, run)
    assert.equal(link(frame('file:///srv/my%20app/src/a.js')), 'https://git.example/app/blob/1a2b3c/src/a.js#L3')
    for (const url of ['', 'node:fs', 'file:///etc/a.js', 'file:///srv/my%20app/node_modules/x/a.js', 'file:///srv/my%20app2/a.js', 'file:///%', 'wasm://x']) {
      assert.equal(link(frame(url)), undefined, url)
    }
    assert.equal(linkToSource({ ...COMMIT, root: '/etc/' }, run)(frame('file:///etc/a.js')), 'https://git.example/app/blob/1a2b3c/a.js#L3')
    assert.equal(linkToSource(undefined, run)(frame('file:///srv/a.js')), undefined)
  })

  test('hostile paths stay in their part of the URL', () => {
    const link = linkToSource({ template: 'https://git.example/{path}#L{line}' }, {})
    assert.equal(link(frame('/a/"><script>#?%00')), 'https://git.example/a/%22%3E%3Cscript%3E%23%3F%2500#L3')
    assert.equal(link(frame('/\uD800/{line}')), 'https://git.example/%EF%BF%BD/%7Bline%7D#L3')
  })

  for (const [what, sourceLink] of [
    ['a text', 'vscode://file/{path}'],
    ['no template', {}],
    ['a path', { template: '/{path}' }],
    ['a script', { template: 'JavaScript:alert({line})' }],
    ['an unknown placeholder', { template: 'https://x/{file}' }],
    ['{commit} without a commit', { template: 'https://x/{commit}' }],
    ['a stranger', { template: 'https://x/', size: 1 }],
    ['a root that is no text', { template: 'https://x/', root: 7 }],
    ['null', null]
  ] as const) {
    test(`${what} is refused by name`, async () => {
      await assert.rejects(renderReport(profileOf([]), { sourceLink: sourceLink as unknown as SourceLink }), (error: unknown) =>
        error instanceof ReportError && error.code === 'GEORDI_REPORT_BAD_OPTION' && error.message.includes('"sourceLink"'))
    })
  }
})
