import * as fontkit from 'fontkit'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fastLayout } from './fast-layout.ts'

/** Regular and bold. */
export type Weight = 'regular' | 'bold'

export const WEIGHTS: readonly Weight[] = ['regular', 'bold']

/** One font in one weight. */
export interface Face {
  /** Unique among the faces that one report uses. */
  readonly id: string
  readonly weight: Weight
  /** The font as TrueType. */
  readonly bytes: Uint8Array
  /** It has only the characters that the report needs. */
  readonly isCut: boolean
  readonly font: fontkit.Font
}

export function makeFace (id: string, weight: Weight, bytes: Buffer, isCut = false): Face {
  return { id, weight, bytes, isCut, font: fastLayout(fontkit.create(bytes) as fontkit.Font) }
}

export function covers ({ font }: Face, codePoint: number): boolean {
  return font.hasGlyphForCodePoint(codePoint)
}

const FILES: Readonly<Record<Weight, string>> = { regular: 'DejaVuSans.ttf', bold: 'DejaVuSans-Bold.ttf' }

const faces = new Map<Weight, Face>()

/**
 * DejaVu Sans: Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian, mathematics and more. It is read once: its decoded glyphs
 * serve all reports.
 */
export function baseFace (weight: Weight): Face {
  let face = faces.get(weight)
  if (face === undefined) {
    const bytes = readFileSync(createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${FILES[weight]}`))
    faces.set(weight, face = makeFace('sans', weight, bytes))
  }
  return face
}
