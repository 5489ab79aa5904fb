import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const SECRET = 'a secret for benchmarks, 32 characters long'
export const appEntry = fileURLToPath(new URL('./bench-app.js', import.meta.url))

/** The benchmark's two apps: with the plugin and without, in one process. */
export interface Apps {
  readonly plain: string
  readonly profiled: string
  readonly process: ChildProcess
}

/** Starts the benchmark's apps. The one that is made first may have it better or worse for that. */
export async function startApps (queueUrl: string, plainFirst = true): Promise<Apps> {
  const child = fork(appEntry, plainFirst ? [] : ['profiled first'], { env: environment(queueUrl) })
  const [addresses] = await once(child, 'message') as [{ plain: string, profiled: string }]
  return { ...addresses, process: child }
}

/** Starts a worker for the benchmark's app. */
export async function startWorker (queueUrl: string): Promise<ChildProcess> {
  const cli = fileURLToPath(new URL('./cli.js', import.meta.resolve('@geordi/worker')))
  const child = fork(cli, ['worker', appEntry], { env: environment(queueUrl), stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    if (String(chunk).includes('geordi worker ready')) break
  }
  child.stdout!.resume()
  return child
}

export async function end (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

function environment (queueUrl: string): NodeJS.ProcessEnv {
  return { ...process.env, GEORDI_QUEUE_URL: queueUrl, GEORDI_SECRET: SECRET }
}
