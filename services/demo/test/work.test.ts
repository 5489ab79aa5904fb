import assert from 'node:assert/strict'
import { test } from 'node:test'
import { html } from '../src/html.ts'
import { prefersHtml } from '../src/negotiate.ts'
import { readListenSettings, readSettings } from '../src/settings.ts'
import { diffRevisions, historyOf, longestCommonSubsequence, renderBlame } from '../src/work/blame.ts'
import { annotateUntil } from '../src/work/burn.ts'
import { parseCommitFile } from '../src/work/commit-files.ts'
import { highlightSource, tokenize } from '../src/work/highlight.ts'

const source = [
  '// Align <the> coil & hope', "import { scan } from './scan.js'", '', 'const LIMIT = 42.5', 'export function alignCoil (coil) {',
  '  return coil > LIMIT ? "too \\"much\\"" : scan(coil)', '}', '/* unfinished'
].join('\n')
const file = { path: 'src/coil.ts', content: source }

test('the longest common subsequence, against a hand-made case', () => {
  const lengths = longestCommonSubsequence(['a', 'b', 'c', 'd'], ['b', 'd', 'a', 'c', 'd'])
  assert.equal(lengths[0], 3) // b c d
  assert.deepEqual([...diffRevisions(['a', 'b', 'c', 'd'], ['b', 'd', 'a', 'c', 'd'])], [1, -1, -1, 2, 3])
  assert.deepEqual([...diffRevisions([], ['new'])], [-1])
  assert.deepEqual([...diffRevisions(['old'], [])], [])
})

test('blame gives the file as it is, with lines of several revisions', () => {
  const long = { path: 'x', content: Array.from({ length: 200 }, (_, i) => `line ${i}`).join('\n') }
  const blame = renderBlame(long, 4)
  assert.equal(blame.map(line => line.text).join('\n'), long.content)
  assert.deepEqual([...new Set(blame.map(line => line.revision))].sort(), [0, 1, 2, 3])
  const first = new Set(historyOf(long, 4)[0])
  for (const { revision, text } of blame) if (revision === 0) assert.ok(first.has(text), text)
})

test('tokens lose nothing, and the HTML of source text is escaped', () => {
  assert.equal(tokenize(source).map(token => token.text).join(''), source)
  const kinds = Object.fromEntries(tokenize(source).map(({ kind, text }) => [text, kind]))
  assert.equal(kinds['// Align <the> coil & hope'], 'comment')
  assert.equal(kinds["'./scan.js'"], 'string')
  assert.equal(kinds['"too \\"much\\""'], 'string')
  assert.equal(kinds['42.5'], 'number')
  assert.equal(kinds['export'], 'keyword')
  assert.equal(kinds['alignCoil'], 'name')
  const rendered = highlightSource(source).text
  assert.match(rendered, /<span class="comment">\/\/ Align &lt;the&gt; coil &amp; hope<\/span>/)
  assert.doesNotMatch(rendered, /<the>/)
})

test('annotating stops when its CPU time is used, not before', () => {
  const before = process.cpuUsage()
  const result = annotateUntil([file], 60)
  const { user, system } = process.cpuUsage(before)
  assert.ok((user + system) / 1000 >= 60)
  assert.ok(result.cpuMs >= 60)
  assert.ok(result.files > 1)
  assert.equal(result.lines, result.files * 8)
  assert.equal(annotateUntil([], 60).files, 0)
})

test('commits are read from JSON and from CSV with quoted cells', () => {
  const commit = { repository: 'warp-core', author: 'Data', message: 'Say "hello",\nthen go', committedAt: '2026-11-01T10:00:00Z' }
  assert.deepEqual(parseCommitFile(JSON.stringify({ commits: [commit] })), [commit])
  assert.deepEqual(parseCommitFile(JSON.stringify([commit])), [commit])
  const csv = 'author,repository,committedAt,message\r\nData,warp-core,2026-11-01T10:00:00Z,"Say ""hello"",\nthen go"\r\n\r\n'
  assert.deepEqual(parseCommitFile(csv), [commit])
})

test('a file that can not be read says where', () => {
  const refused = (text: string, message: RegExp) => assert.throws(() => parseCommitFile(text), { code: 'DEMO_COMMIT_FILE_INVALID', statusCode: 400, message })
  refused('{ "commits": [', /no JSON/)
  refused('{ "commits": 3 }', /"commits"/)
  refused('[{ "repository": "a", "author": "b" }]', /commit 1: «message»/)
  refused('repository,author,message\na,b,c\na,b\n', /line 3: «message»/)
  refused('repository,author,message,committedAt\na,b,c,yesterday-ish\n', /line 2: «committedAt»/)
  refused('repository,author,message\na,"b,c\n', /quoted/)
  refused('hello', /columns/)
  refused('[{ "repository": "a", "author": "b", "message": "\\u0000" }]', /NUL/)
})

test('HTML templates escape what is not HTML', () => {
  const evil = '<img src=x onerror="alert(1)">&\''
  assert.equal(html`<p title="${evil}">${[evil, html`<b>${evil}</b>`]}${null}${false}${0}</p>`.text,
    '<p title="&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;">&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;' +
    '<b>&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;</b>0</p>')
})

test('content negotiation', () => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
  assert.equal(prefersHtml(browser, 'json'), true)
  assert.equal(prefersHtml('application/json', 'html'), false)
  assert.equal(prefersHtml('application/json, text/html;q=0.5', 'html'), false)
  assert.equal(prefersHtml('application/*;q=0.2, text/*', 'json'), true)
  assert.equal(prefersHtml('*/*', 'html'), true)
  assert.equal(prefersHtml('*/*', 'json'), false)
  assert.equal(prefersHtml(undefined, 'json'), false)
})

test('settings that are missing or wrong are named', () => {
  const complete = { DATABASE_URL: 'postgres://x', REDIS_URL: 'redis://x', GEORDI_SECRET: 'a', SESSION_SECRET: 'b' }
  assert.equal(readSettings(complete).queueUrl, 'redis://x')
  assert.equal(readSettings({ ...complete, GEORDI_QUEUE_URL: 'postgres://q' }).queueUrl, 'postgres://q')
  assert.equal(readSettings(complete).cacheUrl, 'redis://x')
  assert.equal(readSettings({ ...complete, CACHE_URL: 'redis://c' }).cacheUrl, 'redis://c')
  assert.equal(readSettings({ ...complete, GEORDI_QUEUE_URL: 'postgres://q' }).cacheUrl, null)
  assert.equal(readSettings(complete).replay, false)
  assert.equal(readSettings({ ...complete, GEORDI_REPLAY: '1' }).replay, true)
  for (const name of Object.keys(complete)) {
    assert.throws(() => readSettings({ ...complete, [name]: '' }), { code: 'DEMO_SETTING_INVALID', message: new RegExp(name) })
  }
  assert.deepEqual(readListenSettings({}), { host: '127.0.0.1', port: 3000 })
  assert.throws(() => readListenSettings({ PORT: 'warp' }), { code: 'DEMO_SETTING_INVALID', message: /PORT/ })
})
