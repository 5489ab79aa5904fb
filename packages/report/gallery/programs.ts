import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's folder: this file is in packages/report/dist/gallery. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

/** No program here takes so long; a profile of one that does isn't written. */
const LIMIT = 120_000

export function isInstalled (tool: string): boolean {
  return spawnSync(tool, ['-v']).error === undefined
}

/** Runs a program to its end, in the repository's folder. Its words are only seen when it fails. */
export function runTool (tool: string, args: readonly string[], codes: readonly number[] = [0]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(tool, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT })
    const words: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => words.push(chunk))
    child.on('error', reject).on('close', (code, signal) => {
      if (code !== null && codes.includes(code)) resolve()
      else reject(new Error(`${tool} ${args.join(' ')} ended with ${signal ?? code}:\n${Buffer.concat(words).toString().slice(-2000)}`))
    })
  })
}

/**
 * Runs a script under `node --cpu-prof` and gives its profile: of its processes' and threads' the largest.
 *
 * @param codes Exit codes that are none of its failures.
 */
export async function profileScript (folder: string, codes: readonly number[], script: string, ...args: string[]): Promise<string> {
  await runTool(process.execPath, ['--cpu-prof', `--cpu-prof-dir=${folder}`, script, ...args], codes)
  const [file] = readdirSync(folder).map(name => join(folder, name)).sort((a, b) => statSync(b).size - statSync(a).size)
  if (file === undefined) throw new Error(`${script} wrote no profile`)
  return file
}

/** Profiles one request of an app, as a user does it: with the `geordi` command. */
export async function profileRequest (folder: string, entry: string, ...request: string[]): Promise<string> {
  const file = join(folder, 'it.cpuprofile')
  await runTool(process.execPath, [join(ROOT, 'services/worker/dist/src/cli.js'), 'profile', entry, ...request, '-o', file])
  return file
}

/** Records what `main` of a module runs and waits for. */
export async function profileWaits (folder: string, program: string): Promise<string> {
  const file = join(folder, 'it.cpuprofile')
  await runTool(process.execPath, [join(ROOT, 'packages/report/gallery/fixtures/record-waits.js'), program, file])
  return file
}

/** A file of an installed package; `undefined` where it isn't installed. */
export function findInPackage (name: string, path: string): string | undefined {
  try {
    const [folder] = createRequire(import.meta.url).resolve.paths(name)?.map(folder => join(folder, name))
      .filter(folder => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile()) ?? []
    return folder === undefined ? undefined : join(folder, path)
  } catch {
    return undefined
  }
}
