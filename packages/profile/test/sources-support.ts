import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { importCpuProfile, type Frame, type Profile, type Run } from '../src/index.ts'

/** A folder that is gone after the test. */
export function temporaryFolder (t: { after: (clean: () => void) => void }): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'geordi-sources-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Enough of a profile to look at its frames' sources. */
export function profileOf (frames: ReadonlyArray<Partial<Frame>>, run: Run = {}): Profile {
  return {
    frames: frames.map(frame => ({ name: '', url: '', line: 1, column: 1, ...frame })),
    tree: { frame: Int32Array.of(0), parent: Int32Array.of(-1) },
    samples: { node: new Int32Array(0), duration: new Float64Array(0) },
    startTime: 0,
    run
  }
}

/** Files that are nowhere but here, by path. */
export function filesOf (files: Readonly<Record<string, string>>) {
  return async (path: string) => files[path] ?? Promise.reject(new Error('it isn\'t there'))
}

/** The frame of the function whose parameters, or arrow, begin at the first occurrence of a text. */
export function frameAt (url: string, script: string, text: string, name = ''): Frame {
  const at = script.indexOf(text)
  if (at < 0) throw new Error(`no ${text} in ${script}`)
  const before = script.slice(0, at).split('\n')
  return { name, url, line: before.length, column: (before.at(-1) as string).length + 1 }
}

/** What is called for a while in profiled scripts: CPU time, so that a busy machine doesn't hide a function from the sampler. */
const SPIN = 'const used = () => process.cpuUsage().user + process.cpuUsage().system; ' +
  'const spin = () => { const end = used() + 8000; while (used() < end); };'

/** Profiles a script, one case a line from line 2, with this Node's own V8; again while a line wasn't sampled, at most five times. */
export async function profileLines (folder: string, file: string, lines: readonly string[]): Promise<{ profile: Profile, url: string }> {
  const script = join(folder, file)
  const url = pathToFileURL(script).href
  // A semicolon, because the lines come without.
  writeFileSync(script, [SPIN, ...lines].join('\n;'))
  for (let attempt = 1; ; attempt++) {
    const out = join(folder, `profiles${attempt}`)
    await promisify(execFile)(process.execPath, ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', out, script])
    const profile = importCpuProfile(readFileSync(join(out, readdirSync(out)[0] as string)))
    const sampled = new Set(profile.frames.filter(frame => frame.url === url).map(({ line }) => line))
    if (attempt === 5 || lines.every((_, at) => sampled.has(at + 2))) return { profile, url }
  }
}
