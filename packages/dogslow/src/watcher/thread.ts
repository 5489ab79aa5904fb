import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { RawReport } from '../describe.ts'
import type { ToMain, ToWatcher, WatcherData } from '../messages.ts'
import type { DogslowEvent, ProfileQueued, RequestEnd } from '../report.ts'
import { HEADER, toChunk, toShared, type Chunk } from '../shared.ts'
import { fileSink } from '../sinks/file.ts'
import { mailSink } from '../sinks/mail.ts'
import { webhookSink } from '../sinks/webhook.ts'
import { BlockedWatch } from './blocked.ts'
import { mainClock } from './clock.ts'
import { writeLog } from './direct-log.ts'
import { finishReport } from './finish.ts'
import { FrameReader, topFrame } from './frames.ts'
import { Limiter } from './limiter.ts'
import { MemoryWatch } from './memory-watch.ts'
import { Outlet } from './outlet.ts'
import { SignalWatch } from './signal-watch.ts'
import { Sources } from './sources.ts'

/** Milliseconds between two looks whether a digest is due. */
const DIGEST_EVERY = 1000
/** Milliseconds that sinks have when the app closes. */
const CLOSE_LIMIT = 5000

const data = workerData as WatcherData
const { settings } = data
const main = parentPort!
const shared = toShared(data.shared)
const chunks: Chunk[] = []
const clock = mainClock(data)
const limiter = new Limiter(settings)
const frames = new FrameReader(data, new Sources())

const tell = (message: ToMain) => main.postMessage(message)
const complain = (sink: string, message: string) => tell({ type: 'problem', sink, message })
const outlets: Outlet[] = []
if (settings.file !== undefined) outlets.push(new Outlet('file', fileSink(settings.file), complain))
if (settings.webhook !== undefined) outlets.push(new Outlet('webhook', webhookSink(settings.webhook), complain))
if (settings.mail !== undefined) outlets.push(new Outlet('mail', mailSink(settings.mail), complain))

function pass (event: DogslowEvent, direct = false): void {
  // The log first: it is the one that is always there.
  const logged = direct && writeLog(data.log, event)
  for (const outlet of outlets) outlet.put(event)
  tell({ type: 'event', event, logged })
}

function deliver (raw: RawReport): void {
  const report = finishReport(raw, frames)
  if (limiter.admit(report, performance.now())) pass(report, report.kind !== 'waiting')
}

/** What follows a report that was passed on. */
async function passFurther (event: RequestEnd | ProfileQueued): Promise<void> {
  await blocked.settled()
  if (limiter.hasPassed(event.report)) pass(event)
}

async function allSent (limit: number): Promise<void> {
  await Promise.race([Promise.all(outlets.map(outlet => outlet.idle())), sleep(limit, undefined, { ref: false })])
}

const isTelling = (stack: readonly string[]) => topFrame(frames.read(stack)) !== undefined
const blocked = new BlockedWatch({ data, shared, chunks, clock, deliver, isTelling, taken: (report, owner, places, fresh) => tell({ type: 'taken', report, owner, places, ...fresh !== undefined && { fresh } }) })
const failed = (error: unknown) => complain('watcher', (error as Error).message)
const memory = new MemoryWatch({ data, shared, clock, deliver, failed })
const signals = new SignalWatch({ data, shared, chunks, clock, deliver, allSent, complain })

// These keep the thread alive: it has nothing else to wait for.
const timers = [
  setInterval(() => {
    blocked.look().catch(failed)
  }, data.tick),
  setInterval(() => {
    const digest = limiter.digest(performance.now())
    if (digest !== undefined) pass(digest)
  }, DIGEST_EVERY)
]

main.on('message', (message: ToWatcher) => {
  switch (message.type) {
    case 'chunk': chunks.push(toChunk(message.buffer)); break
    case 'report': deliver(message.report); break
    case 'more': limiter.count(message.counts, performance.now()); break
    case 'event': passFurther(message.event).catch(failed); break
    case 'evidence':
      deliver(message.report)
      Atomics.add(shared.header, HEADER.written, 1)
      Atomics.notify(shared.header, HEADER.written)
      break
    case 'close': close().catch(failed)
  }
})

async function close (): Promise<void> {
  for (const timer of timers) clearInterval(timer)
  memory.close()
  await blocked.settled()
  const digest = limiter.digest(performance.now(), true)
  if (digest !== undefined) pass(digest)
  await allSent(CLOSE_LIMIT)
  signals.close()
  main.close()
}

tell({ type: 'ready' })
