import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PdfCanvas } from '../src/canvas/pdf.ts'
import { Typesetter } from '../src/fonts/typesetter.ts'
import { needsPdftotext, needsQpdf, objectsOf, plainTextOf, qpdfCheck, wordsOf } from './pdf-tools.ts'

const type = await Typesetter.for([])

function pdf (): PdfCanvas {
  return new PdfCanvas(type, { title: 'x', subject: 'y', createdAt: new Date(0) })
}

describe('PdfCanvas', () => {
  test('gives pages beyond 14,400 units larger units', { ...needsQpdf, ...needsPdftotext }, async () => {
    const canvas = pdf()
    canvas.addPage('small', 100, 100)
    canvas.text('near', 10, 50, { size: 10 })
    canvas.addPage('large', 28_800, 1000)
    canvas.text('far', 28_000, 900, { size: 10 })
    const bytes = await canvas.finish()
    assert.match(qpdfCheck(bytes), /No syntax or stream encoding errors/)
    assert.deepEqual(objectsOf(bytes).match(/\/UserUnit \S+/g), ['/UserUnit 1', '/UserUnit 2'])
    const [, page] = wordsOf(bytes)
    // pdftotext tells units, some versions points.
    const unit = (page?.width ?? 0) / 28_800
    assert.ok(Math.abs((page?.words[0]?.left ?? 0) / unit - 28_000) < 1)
  })

  test('places and links are where groups put them', needsQpdf, async () => {
    const canvas = pdf()
    canvas.addPage('page', 400, 200)
    canvas.group({ at: { x: 100, y: 50 }, scale: 2 }, () => {
      canvas.group({ at: { x: 10, y: 5 } }, () => {
        canvas.place('here', 1, 2)
        canvas.link({ place: 'here' }, { x: 0, y: 0, width: 20, height: 10 }, () => {})
      })
    })
    const objects = objectsOf(await canvas.finish()).replace(/\s+/g, ' ')
    assert.match(objects, /\(here\) \[ \d+ 0 R \/XYZ 122 136 null \]/)
    assert.match(objects, /\/Rect \[ 120 120 160 140 \]/)
  })

  test('sets right-to-left text in one piece and in order', { ...needsPdftotext }, async () => {
    const canvas = pdf()
    canvas.addPage('page', 400, 100)
    canvas.text('ab שלום cd', 50, 50, { size: 10 })
    const bytes = await canvas.finish()
    assert.equal(plainTextOf(bytes).join().replace(/[\u202a-\u202e\s]+/g, ' ').trim(), 'ab שלום cd')
    const words = wordsOf(bytes)[0]?.words.toSorted((a, b) => a.left - b.left).map(({ text }) => text)
    assert.deepEqual([words?.at(0), words?.at(-1)], ['ab', 'cd'])
  })
})
