import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { prepareReport, renderSvg } from '../src/index.ts'
import { needsPdftotext, rawTextOf } from './pdf-tools.ts'
import { FULL_RUN, profileOf, tangledProfile } from './profile-builder.ts'

const hasPython = spawnSync('python3', ['--version']).error === undefined
const needsPython = hasPython ? {} : { skip: 'needs python3, for its XML parser' }

interface SvgElement { readonly name: string, readonly attributes: Readonly<Record<string, string>>, readonly text: string }

/** What expat, a real XML parser, finds; it refuses what isn't well-formed. */
function parse (svg: string): SvgElement[] {
  const program = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
print(json.dumps([dict(name=e.tag.split('}')[1], attributes=e.attrib, text=e.text or '') for e in root.iter()]))`
  const { status, stdout, stderr } = spawnSync('python3', ['-c', program], { input: svg, encoding: 'utf8', maxBuffer: 1e8 })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as SvgElement[]
}

function textsOf (elements: readonly SvgElement[], name: string): string[] {
  return elements.filter(element => element.name === name).map(({ text }) => text)
}

describe('renderSvg', () => {
  test('draws what the PDF\'s page of the graph draws', { ...needsPython, ...needsPdftotext }, async () => {
    const profile = tangledProfile(3, 60, FULL_RUN)
    const options = { layoutTimeLimit: 60_000 }
    const prepared = await prepareReport(profile, options)
    const svg = await prepared.svg()
    const elements = parse(svg)
    const page = rawTextOf(await prepared.pdf())[1] as string
    assert.equal(svg, await renderSvg(profile, options))
    const words = (text: string) => text.split(/\s+/).filter(word => word !== '').sort()
    assert.deepEqual(words(textsOf(elements, 'text').join(' ')), words(page))
  })

  test('has tooltips with whole names and times', needsPython, async () => {
    const name = `handle${'Long'.repeat(60)}`
    const elements = parse(await renderSvg(profileOf([[['main', name], 1000]], FULL_RUN)))
    assert.ok(textsOf(elements, 'title').some(text => text === `${name}\nsrc/${name}.js:3\ntotal 1.00 ms (100%) · self 1.00 ms (100%)` ||
      (text.startsWith(`${name}\n`) && text.endsWith('total 1.00 ms (100%) · self 1.00 ms (100%)'))), textsOf(elements, 'title').join())
    assert.ok(textsOf(elements, 'text').some(text => /^handleL\w*…/.test(text)))
    assert.ok(!textsOf(elements, 'text').includes(name))
  })

  test('needs nothing but itself, and runs nothing', needsPython, async () => {
    const elements = parse(await renderSvg(profileOf([[['main', 'работа', '处理'], 1000]], FULL_RUN)))
    const names = new Set(elements.map(({ name }) => name))
    assert.deepEqual(Array.from(names).sort(), ['a', 'g', 'path', 'rect', 'style', 'svg', 'text', 'title'].filter(name => name !== 'a'))
    const style = textsOf(elements, 'style').join()
    assert.match(style, /@font-face/)
    assert.equal(Array.from(style.matchAll(/url\((?!data:)/g)).length, 0)
    assert.equal(elements.filter(({ attributes }) => Object.keys(attributes).some(name => name.startsWith('on'))).length, 0)
  })

  test('leads to sources where that is asked for', needsPython, async () => {
    const profile = profileOf([[['main'], 1000]], FULL_RUN)
    const elements = parse(await renderSvg(profile, { sourceLink: { template: 'https://git.example/{commit}/{relative}?a&b="#L{line}', commit: 'v1' } }))
    const links = elements.filter(({ name }) => name === 'a').map(({ attributes }) => attributes.href)
    assert.deepEqual(links, ['https://git.example/v1/src/main.js?a&b="#L2'])
  })

  test('is well-formed whatever names there are', needsPython, async () => {
    const hostile = ['x'.repeat(10_000), 'a\0b\x1b[31m', '\uD800lone\uDC00', '\u202Eevil\u2066', '"><script>alert(1)</script>', ']]>', '<!--', '&eacute;',
      '\uFFFE\uFFFF', '\u{10FFFF}', 'line\nbreak\ttab\r', '\x7f\x85\u2028', 'مرحبا', '👩‍👩‍👧', '']
    const run = { ...FULL_RUN, request: { ...FULL_RUN.request!, url: '/<&>"\'\0\uDC00' } }
    const elements = parse(await renderSvg(profileOf(hostile.map((name, at) => [['main', name], 2000 - at]), run)))
    const texts = textsOf(elements, 'text')
    for (const text of ['"><script>alert(1)</script>', ']]>', '<!--', '&eacute;', '\uFFFDevil\uFFFD', 'line break tab', 'GET /<&>"\'\uFFFD\uFFFD']) {
      assert.ok(texts.includes(text), text)
    }
    assert.equal(textsOf(elements, 'script').length, 0)
  })

  test('says why it is empty', needsPython, async () => {
    const texts = textsOf(parse(await renderSvg(profileOf([[['(idle)'], 970_000], [['(program)'], 30_000]], FULL_RUN))), 'text').join(' ')
    assert.match(texts, /The request waited 97\.0% of the time/)
  })

  test('is the same for the same profile', async () => {
    assert.equal(await renderSvg(tangledProfile(4)), await renderSvg(tangledProfile(4)))
  })
})
