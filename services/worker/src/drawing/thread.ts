import { parentPort } from 'node:worker_threads'
import { importRecording } from '@geordi/profiler'
import { renderReport, warmUp } from '@geordi/report'
import type { DrawAnswer, DrawOrder } from './drawer.ts'

// One thread draws one report at a time.
parentPort!.on('message', (order: DrawOrder) => {
  draw(order).then(answer => parentPort!.postMessage(answer), (error: Error) => parentPort!.postMessage({ error: error.message } satisfies DrawAnswer))
})

async function draw ({ recording }: DrawOrder): Promise<DrawAnswer> {
  if (recording !== undefined) return { report: await renderReport(importRecording(recording)) }
  await warmUp()
  return {}
}
