import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findRedisServer, startLocalServer } from '@geordi/replay/local'
import { Site, sitesEndWithTests } from './faults-support.ts'
import { temporary, until } from './support.ts'

/** Of the requests, of who sends them, of the app, and of what becomes of them. */
const WORDS = ['kobayashi', 'maru', 'ensign ro', '/fine', '/gate', '/throws', 'x-admin', 'hull breach', 'starshipWork', 'faulty.js', 'was cancelled']

for (const kind of ['redis', 'postgres'] as const) {
  const skip = kind === 'redis' && findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'
  describe(`who reads every file of a queue server, ${kind}`, { skip }, () => {
    sitesEndWithTests()

    it('finds no word of a request, of who sent it, or of what became of it', async t => {
      const folder = mkdtempSync(join(temporary, 'server-'))
      const server = await startLocalServer({ kind, folder })
      t.after(() => server.stop())
      const site = await Site.open(server)
      await site.startWorker()
      const order = async (id: string, action: string) => {
        const init = { method: 'POST', headers: { accept: 'application/json', 'x-admin': 'ensign ro' } }
        await until(async () => (await fetch(`${site.address}/__geordi__/${id}/${action}`, init)).status === 202, `the ${action} is ordered`)
      }
      for (const path of ['/fine', '/throws']) await site.state(await site.flag(`${path}?maru=kobayashi`, 'ensign ro'), 'done', 'failed')
      const running = await site.flag('/gate?gate=kobayashi', 'ensign ro')
      await site.running('/gate?gate=kobayashi')
      await order(running, 'snapshot')
      await until(async () => (await site.look(running)).snapshotAt !== undefined, 'the snapshot is there')
      const waiting = await site.flag('/fine?waits=kobayashi', 'ensign ro')
      for (const id of [waiting, running]) {
        await order(id, 'cancel')
        await site.state(id, 'failed')
      }
      await site.flag('/gate?gate=maru', 'ensign ro')
      await site.running('/gate?gate=maru')
      await site.end()
      await server.stop()

      // What was deleted and what was overwritten is in them, too.
      const files = filesIn(folder).map(file => readFileSync(file, 'latin1').toLowerCase())
      const has = (word: string) => files.some(file => file.includes(word.toLowerCase()))
      for (const known of [site.name, running, waiting]) assert.ok(has(known), 'or this shows nothing')
      for (const word of WORDS) assert.ok(!has(word), word)
    })
  })
}

function filesIn (folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name)).filter(file => statSync(file).isFile())
}
