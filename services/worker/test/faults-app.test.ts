import assert from 'node:assert/strict'
import { it } from 'node:test'
import { importCpuProfile } from '@geordi/profile'
import { RAW_PROFILE, REPORT, type Replay } from '@geordi/replay'
import { onEachServer, Site, sitesEndWithTests } from './faults-support.ts'
import { isAlive, replayFolders, until } from './support.ts'

interface Fault {
  readonly path: string
  readonly state: Replay['state']
  /** What the admin reads. */
  readonly words: RegExp
  /** What there is of it; undefined where that depends on how long it ran. */
  readonly artefacts?: readonly string[]
}

const BOTH = [RAW_PROFILE, REPORT]
const NOT_AGAIN = 'The request was sent to the app, once\\. It is not run again\\.'
const died = (how: string) => new RegExp(`The replay process ended ${how}.*${NOT_AGAIN}`)

/** All that an app can do to its replay. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'killed with -9': { path: '/killed', state: 'failed', words: died('by SIGKILL before the request did') },
  'calling process.exit': { path: '/exits', state: 'failed', words: died('with exit code 7 before the request did'), artefacts: BOTH },
  'out of memory': { path: '/memory', state: 'failed', words: new RegExp(`The replay process ran out of memory before the request did.*${NOT_AGAIN}`) },
  'throwing where nobody catches': { path: '/throws', state: 'failed', words: died('with exit code 1 before the request did.*hull breach'), artefacts: BOTH },
  'rejecting where nobody catches': { path: '/rejects', state: 'failed', words: died('with exit code 1 before the request did.*warp core breach'), artefacts: BOTH },
  'throwing after its answer': { path: '/throws-after', state: 'failed', words: died('with exit code 1 right after its answer.*hull breach'), artefacts: BOTH },
  'rejecting after its answer': { path: '/rejects-after', state: 'failed', words: died('with exit code 1 right after its answer.*warp core breach'), artefacts: BOTH },
  'resetting the connection': { path: '/resets', state: 'failed', words: new RegExp(`The app broke the connection off without a complete answer.*${NOT_AGAIN}`), artefacts: BOTH },
  'answering by hand': { path: '/hijacked', state: 'done', words: /The report is ready.*The app answered 200/, artefacts: BOTH },
  'answering two gigabytes': { path: '/large', state: 'done', words: /The report is ready.*The app answered 200/, artefacts: BOTH }
}

onEachServer('an app in its replay', server => {
  sitesEndWithTests()

  it('breaks in every way that there is: the admin is told how, each ran once, and nothing is left', async () => {
    const site = await Site.open(server())
    await site.startWorker(['--concurrency', '2', '--heap-limit', '200'])
    const ids = new Map<string, string>()
    for (const [what, { path }] of Object.entries(FAULTS)) ids.set(what, await site.flag(path))
    for (const [what, { path, state, words, artefacts }] of Object.entries(FAULTS)) {
      const id = ids.get(what)!
      const replay = await site.state(id, 'done', 'failed', 'lost')
      assert.equal(replay.state, state, `${what}: ${JSON.stringify(replay)}`)
      assert.match(await site.page(id), words, what)
      if (artefacts !== undefined) assert.deepEqual(replay.artefacts.toSorted(), artefacts, what)
      assert.equal(site.runs().filter(({ url }) => url === path).length, 1, what)
    }
    const { run } = importCpuProfile(await site.artefact(ids.get('answering two gigabytes')!, RAW_PROFILE))
    assert.equal(run.response!.bytes, 2050 * 1024 * 1024)

    const id = await site.flag('/fine')
    await site.state(id, 'done')
    await until(async () => (await Promise.all(site.pids().map(isAlive))).filter(Boolean).length === 2, 'the spares are all that is left')
    await until(() => replayFolders().length === 2, 'with their folders')
  })
})
