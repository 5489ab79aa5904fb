import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Face, Weight } from './face.ts'
import { covers, makeFace, WEIGHTS } from './face.ts'

/**
 * Fonts for what DejaVu Sans lacks, in the order in which they are asked. The packages hold one variable font each, cut into files by
 * ranges of characters, so that a name costs the reading of one or two files of some 60 kB. `noto-sans-sc` has the kana and the
 * Han characters of all of East Asia, in the Chinese form.
 */
const PACKAGES = [
  'noto-sans-kr', 'noto-sans-sc', 'noto-emoji', 'noto-sans-devanagari', 'noto-sans-bengali', 'noto-sans-tamil', 'noto-sans-thai'
]

/** The fonts' own scale of weights. */
const WEIGHT_AXIS: Readonly<Record<Weight, number>> = { regular: 400, bold: 700 }

/** One of a package's files, with the characters that it may have. */
interface Slice {
  readonly id: string
  readonly path: string
  readonly ranges: ReadonlyArray<readonly [first: number, last: number]>
}

let catalogue: Promise<readonly Slice[]> | undefined

/**
 * Faces that have as many as possible of some characters: only these characters, in both weights. PDFKit and fontkit can't embed a variable font
 * in another weight than its default one, which is thin: HarfBuzz makes an ordinary font of each.
 */
export async function moreFaces (codePoints: ReadonlySet<number>): Promise<Face[]> {
  const missing = new Set(codePoints)
  const faces: Face[] = []
  if (missing.size === 0) return faces
  for (const slice of await (catalogue ??= readCatalogue())) {
    const wanted = Array.from(missing).filter(codePoint => slice.ranges.some(([first, last]) => codePoint >= first && codePoint <= last))
    if (wanted.length === 0) continue
    const made = await Promise.all(WEIGHTS.map(weight => cut(slice, wanted, weight)))
    // The ranges promise more than the files hold.
    const [face] = made
    if (face === undefined) continue
    for (const codePoint of wanted) if (covers(face, codePoint)) missing.delete(codePoint)
    faces.push(...made.filter(face => face !== undefined))
    if (missing.size === 0) break
  }
  return faces
}

async function cut ({ id, path }: Slice, codePoints: readonly number[], weight: Weight): Promise<Face | undefined> {
  const { default: subsetFont } = await import('subset-font')
  const text = String.fromCodePoint(...codePoints)
  // Vowels around a letter are set as two: HarfBuzz doesn't add the halves.
  const font = await subsetFont(await readFile(path), text + text.normalize('NFD'), {
    targetFormat: 'truetype', variationAxes: { wght: WEIGHT_AXIS[weight] }
  })
  try {
    const face = makeFace(id, weight, font, true)
    return codePoints.some(codePoint => covers(face, codePoint)) ? face : undefined
  } catch {
    // A font without any of the characters has no table of characters, which fontkit doesn't take.
    return undefined
  }
}

/** A face's font with only the letters of a text. */
export async function cutFace ({ bytes, isCut }: Face, text: string): Promise<Buffer> {
  const font = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (isCut) return font
  const { default: subsetFont } = await import('subset-font')
  return subsetFont(font, text, { targetFormat: 'truetype' })
}

async function readCatalogue (): Promise<Slice[]> {
  const { resolve } = createRequire(import.meta.url)
  const lists = await Promise.all(PACKAGES.map(async name => {
    const list = resolve(`@fontsource-variable/${name}/unicode.json`)
    const ranges = JSON.parse(await readFile(list, 'utf8')) as Record<string, string>
    return Object.entries(ranges)
      // Latin letters and punctuation are DejaVu's.
      .filter(([slice]) => !slice.startsWith('latin'))
      .map(([slice, text]): Slice => {
        const id = `${name}-${slice.replace(/[[\]]/g, '')}`
        return { id, path: join(dirname(list), 'files', `${id}-wght-normal.woff2`), ranges: parseRanges(text) }
      })
  }))
  return lists.flat()
}

/** `U+0900-097F,U+20A8`. */
function parseRanges (text: string): Array<readonly [number, number]> {
  return text.split(',').map(range => {
    const [first, last = first] = range.trim().slice(2).split('-').map(part => Number.parseInt(part, 16)) as [number, number?]
    return [first, last]
  })
}
