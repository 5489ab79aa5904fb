import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { renderReport } from '../src/index.ts'
import { directions } from '../src/fonts/directions.ts'
import { Typesetter } from '../src/fonts/typesetter.ts'
import { needsPdftotext, needsQpdf, objectsOf, qpdfCheck, textOf } from './pdf-tools.ts'
import { FULL_RUN, profileOf } from './profile-builder.ts'

const READABLE = [
  'обработатьЗапрос', 'επεξεργασία', 'Ünïcödé', 'été', '处理请求函数', 'リクエスト処理ひらがな', '요청처리', '👍💩', 'अनुरोध', 'მოთხოვნა', 'հարցում'
]

function reportOf (names: readonly string[]) {
  return renderReport(profileOf(names.map((name, at) => [['main', name], 2000 - at]), FULL_RUN), { createdAt: new Date(0) })
}

function facesOf (type: Typesetter, text: string): string[] {
  return type.runs(text, 'regular').map(({ face, text }) => `${face.id}: ${text}`)
}

describe('names in any script', () => {
  test('are text that can be found', needsPdftotext, async () => {
    const pages = textOf(await reportOf([...READABLE, 'e\u0301te\u0301']))
    for (const page of pages) for (const name of READABLE) assert.ok(page.includes(name), `${name} isn't in: ${page}`)
  })

  test('written from the right are text that can be found', needsPdftotext, async () => {
    const pages = textOf(await reportOf(['معالجةالطلب', 'עיבודבקשה']))
    for (const page of pages) for (const name of ['معالجةالطلب', 'עיבודבקשה']) assert.ok(page.includes(name), `${name} isn't in: ${page}`)
  })

  test('cost their fonts only where they are', needsQpdf, async () => {
    const fonts = (pdf: Uint8Array) => Array.from(new Set(objectsOf(pdf).match(/\/FontName \/\S+/g) ?? []), name => name.replace(/.*\+/, ''))
    const [latin, han] = await Promise.all([reportOf(['work']), reportOf(['处理', 'работа'])])
    assert.deepEqual(fonts(latin).sort(), ['DejaVuSans', 'DejaVuSans-Bold'])
    assert.ok(fonts(han).some(name => name.startsWith('NotoSansSC')), fonts(han).join())
    assert.ok(han.length < latin.length + 40_000, `${han.length} bytes`)
    assert.match(qpdfCheck(han), /No syntax or stream encoding errors/)
  })

  test('that no font has are written as escapes', needsPdftotext, async () => {
    for (const page of textOf(await reportOf(['ሰላም', 'a\uFFFEb', '\u{E000}x']))) {
      for (const escape of ['\\u{1230}\\u{120B}\\u{121D}', 'a\\u{FFFE}b', '\\u{E000}x']) assert.ok(page.includes(escape), `${escape} isn't in: ${page}`)
    }
  })

  test('can\'t turn the direction of what is beside them', needsPdftotext, async () => {
    const [summary] = textOf(await reportOf(['\u202Eevil\u202C', '\u2067isolated\u2069', '\u200Fmark'])) as [string]
    for (const text of ['\uFFFDevil\uFFFD', '\uFFFDisolated\uFFFD', '\uFFFDmark']) assert.ok(summary.includes(text), text)
    assert.ok(!/[\u202a-\u202e\u2066-\u2069]/.test(summary))
  })
})

describe('Typesetter', () => {
  test('takes one font for neighbouring letters, and none but DejaVu without need', async () => {
    const type = await Typesetter.for(['get中文', 'plain', 'дело'])
    assert.deepEqual(facesOf(type, 'plain'), ['sans: plain'])
    assert.deepEqual(facesOf(type, 'дело'), ['sans: дело'])
    const [first, ...others] = facesOf(type, 'get中文')
    assert.equal(first, 'sans: get')
    assert.equal(others.map(face => face.replace(/.*: /, '')).join(''), '中文')
    assert.equal((await Typesetter.for(['plain', 'дело'])).faces.length, 2)
  })

  test('measures what it sets', async () => {
    const texts = ['plain', 'get中文', 'معالجة', 'क्षमा', 'e\u0332', '👍🏽', 'ሰላም', '']
    const type = await Typesetter.for(texts)
    for (const text of texts) {
      for (const weight of ['regular', 'bold'] as const) {
        const sum = type.runs(text, weight).reduce((sum, { width }) => sum + width, 0)
        assert.equal(type.measure(text, weight, 10), sum * 10, text)
        assert.ok(text === '' ? sum === 0 : sum > 0.2, `${text}: ${sum}`)
      }
    }
  })

  test('does what was not announced with escapes', async () => {
    const type = await Typesetter.for([])
    assert.equal(type.visible('中x', 'bold'), '\\u{4E2D}x')
    assert.equal(type.visible('x', 'bold'), 'x')
  })

  test('joins Arabic letters', async () => {
    const type = await Typesetter.for([])
    const alone = Array.from('معالجة', letter => type.measure(letter, 'regular', 1)).reduce((sum, width) => sum + width, 0)
    assert.ok(type.measure('معالجة', 'regular', 1) < 0.95 * alone)
  })
})

test('directions follow the bidirectional algorithm, from the left', () => {
  const seen = (text: string) => directions(text).map(({ text }) => text)
  assert.deepEqual(seen('left'), ['left'])
  assert.deepEqual(seen('a אב b'), ['a ', 'אב', ' b'])
  // Numbers after Hebrew run from the left, but stand at its left.
  assert.deepEqual(seen('אב12x'), ['12', 'אב', 'x'])
  assert.deepEqual(seen('א(ב)ג'), ['א)ב(ג'])
})
