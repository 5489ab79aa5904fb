import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function isInstalled (tool: string): boolean {
  return spawnSync(tool, ['--version']).error === undefined
}

/** Options for tests that read the text of a PDF. */
export const needsPdftotext = isInstalled('pdftotext') ? {} : { skip: 'needs pdftotext (poppler-utils)' }

/** Options for tests that check a PDF's structure. */
export const needsQpdf = isInstalled('qpdf') ? {} : { skip: 'needs qpdf' }

/** The text of a PDF's pages, in reading order. */
export function textOf (pdf: Uint8Array): string[] {
  return run('pdftotext', pdf, file => ['-layout', file, '-']).split('\f').slice(0, -1)
}

/** The text of a PDF's pages as pdftotext puts it in order by itself. */
export function plainTextOf (pdf: Uint8Array): string[] {
  return run('pdftotext', pdf, file => [file, '-']).split('\f').slice(0, -1)
}

/** The text of a PDF's pages in the order in which it was drawn. */
export function rawTextOf (pdf: Uint8Array): string[] {
  return run('pdftotext', pdf, file => ['-raw', file, '-']).split('\f').slice(0, -1)
}

/** A PDF's objects, uncompressed, as text. */
export function objectsOf (pdf: Uint8Array): string {
  return run('qpdf', pdf, file => ['--qdf', '--object-streams=disable', '--stream-data=uncompress', file, '-'], 'latin1')
}

export interface Word { readonly text: string, readonly left: number, readonly top: number, readonly right: number, readonly bottom: number }
export interface Page { readonly width: number, readonly height: number, readonly words: readonly Word[] }

/** Where each word of each page is, in points. */
export function wordsOf (pdf: Uint8Array): Page[] {
  return run('pdftotext', pdf, file => ['-bbox', file, '-']).split('<page ').slice(1).map(page => {
    const [width, height] = numbers(page.slice(0, page.indexOf('>')), 'width', 'height') as [number, number]
    const words = Array.from(page.matchAll(/<word ([^>]*)>(.*?)<\/word>/gs), ([, attributes, text]): Word => {
      const [left, top, right, bottom] = numbers(attributes as string, 'xMin', 'yMin', 'xMax', 'yMax') as [number, number, number, number]
      return { text: text as string, left, top, right, bottom }
    })
    return { width, height, words }
  })
}

/** What `qpdf --check` says; it begins with a list of problems, if there are any. */
export function qpdfCheck (pdf: Uint8Array): string {
  return run('qpdf', pdf, file => ['--check', file])
}

function numbers (attributes: string, ...names: string[]): number[] {
  return names.map(name => Number(new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1]))
}

function run (tool: string, pdf: Uint8Array, args: (file: string) => string[], encoding: BufferEncoding = 'utf8'): string {
  const folder = mkdtempSync(join(tmpdir(), 'geordi-report-'))
  try {
    const file = join(folder, 'it.pdf')
    writeFileSync(file, pdf)
    const { status, stdout, stderr } = spawnSync(tool, args(file), { encoding, maxBuffer: 1e8 })
    if (status !== 0) throw new Error(`${tool} failed (${status}): ${stdout}${stderr}`)
    if (stderr !== '') throw new Error(`${tool} complains: ${stderr}`)
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}
