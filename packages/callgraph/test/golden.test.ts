import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { importCpuProfile, type Profile } from '@geordi/profile'
import { buildNamedCallGraph, exportCallGraph, exportDot, type NamedCallGraphOptions } from '../src/index.ts'

const HERE = new URL('../../test/', import.meta.url)

/** `UPDATE_GOLDEN=1 node --test …` writes the files anew; read the difference before it's committed. */
const update = process.env['UPDATE_GOLDEN'] === '1'

/** Real recordings of node --cpu-prof, of which only the application's folder was changed, to one that is nowhere. */
function recorded (name: string): Profile {
  const profile = importCpuProfile(readFileSync(new URL(`fixtures/${name}.cpuprofile`, HERE)))
  return { ...profile, run: { title: name, process: { hostname: 'h', pid: 1, node: 'v20.20.2', app: 'shop@1.0.0', root: '/srv/app' } } }
}

const CASES: Array<[file: string, profile: string, options: NamedCallGraphOptions]> = [
  ['server', 'server', {}],
  ['server-few', 'server', { maxNodes: 8, nodeFraction: 0.02 }],
  ['server-own', 'server', { focus: 'own' }],
  ['server-root', 'server', { root: 'handle' }],
  ['server-focus', 'server', { focus: { package: 'pricing' }, maxNodes: 12 }],
  ['server-files', 'server', { granularity: 'file' }],
  ['server-packages', 'server', { granularity: 'package' }],
  ['deep', 'deep', {}]
]

describe('graphs and DOT of real recordings are what they were', () => {
  for (const [file, profile, options] of CASES) {
    test(file, async () => {
      const named = await buildNamedCallGraph(recorded(profile), { ...options, sources: false })
      golden(`${file}.json`, `${JSON.stringify(exportCallGraph(named), undefined, 1)}\n`)
      golden(`${file}.dot`, exportDot(named))
    })
  }
})

function golden (name: string, actual: string): void {
  const file = new URL(`golden/${name}`, HERE)
  if (update) {
    mkdirSync(new URL('.', file), { recursive: true })
    writeFileSync(file, actual)
  }
  assert.equal(actual, readFileSync(file, 'utf8'), `${name} isn't what it was: if it's better now, run this test with UPDATE_GOLDEN=1`)
}
