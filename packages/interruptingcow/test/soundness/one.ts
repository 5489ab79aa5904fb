import { spawn } from 'node:child_process'

/** How a shape's process came to its end. */
export interface ShapeResult {
  readonly sound: boolean
  /** Milliseconds. */
  readonly took: number
  /** What it said before it failed. */
  readonly said: string
}

/** Interrupts a shape in a process of its own. */
export function runShape (name: string, repetitions: number, { hooks = false, timeLimit = 120_000 } = {}): Promise<ShapeResult> {
  const started = performance.now()
  const child = spawn(process.execPath, [`${import.meta.dirname}/child.js`, name, String(repetitions), hooks ? 'hooks' : ''],
    { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { said += String(chunk) })
  const timer = setTimeout(() => { child.kill('SIGKILL') }, timeLimit)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve({
        sound: code === 0 && said.trim() === 'SOUND',
        took: performance.now() - started,
        said: `${said.trim()} (${signal ?? `exit code ${String(code)}`})`
      })
    })
  })
}
