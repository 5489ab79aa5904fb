/**
 * `npm run gallery [-- FOLDER [NAME …]]`: reports of real profiles, as PDF, SVG and, where pdftoppm is there, PNG, to be looked at. Each program is
 * run under V8's profiler anew; one that isn't installed is left out, by name.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Profile } from '@geordi/profile'
import { importRecording } from '@geordi/profiler'
import { prepareReport } from '../src/index.ts'
import { EXHIBITS, type Exhibit } from './exhibits.ts'
import { isInstalled, runTool } from './programs.ts'

const [where = '.gallery', ...names] = process.argv.slice(2)
const folder = resolve(where)
const scratch = mkdtempSync(join(tmpdir(), 'geordi-gallery-'))
const hasPdftoppm = isInstalled('pdftoppm')
let failed = false

mkdirSync(folder, { recursive: true })
if (!hasPdftoppm) console.log('no PNG: needs pdftoppm (poppler-utils)')
try {
  for (const exhibit of EXHIBITS) if (names.length === 0 || names.includes(exhibit.name)) await show(exhibit)
} finally {
  rmSync(scratch, { recursive: true })
}
console.log(`\n${folder}`)
process.exitCode = failed ? 1 : 0

async function show (exhibit: Exhibit): Promise<void> {
  const { name, missing } = exhibit
  if (missing !== undefined) {
    console.log(`${name}: left out, ${missing}`)
    return
  }
  try {
    const began = performance.now()
    const profile = await record(exhibit)
    const recorded = performance.now()
    const options = { ...exhibit.options, sourceLink: { template: 'vscode://file/{path}:{line}' } }
    const report = await prepareReport(profile, options)
    const pdf = await report.pdf()
    const drawn = performance.now()
    writeFileSync(join(folder, `${name}.pdf`), pdf)
    writeFileSync(join(folder, `${name}.svg`), await report.svg())
    if (hasPdftoppm) await runTool('pdftoppm', ['-png', '-r', '80', join(folder, `${name}.pdf`), join(folder, name)])
    console.log(`${name}: ${profile.waits?.recording.samples.all ?? profile.samples.node.length} samples, ${profile.waits?.operation.length ?? 'no'} waits, recorded in ${Math.round(recorded - began)} ms, drawn in ${Math.round(drawn - recorded)} ms`)
  } catch (error) {
    failed = true
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function record ({ name, title, run, record }: Exhibit): Promise<Profile> {
  const own = join(scratch, name)
  mkdirSync(own)
  const profile = importRecording(readFileSync(await record(own)))
  return { ...profile, run: { title, ...profile.run, ...run } }
}
