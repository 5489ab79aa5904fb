import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { importCpuProfile } from '@geordi/profile'
import { geordi, type Command } from './queue.ts'
import { fixture, isAlive, replayFolders, temporary, until } from './support.ts'

const APP = fixture('noisy.cjs')
const noPdftotext = spawnSync('pdftotext', ['-v']).error === undefined ? false : 'needs pdftotext (poppler)'
const commands: Command[] = []
after(async () => { for (const command of commands) await command.kill() })

function profile (...args: string[]): Command {
  const command = geordi(['profile', ...args])
  commands.push(command)
  return command
}

async function folder (): Promise<string> {
  return mkdtemp(join(temporary, 'out-'))
}

interface Seen { method: string, url: string, rawHeaders: string[], body: string }

/** Runs to its end and gives what the app saw. */
async function seenBy (...args: string[]): Promise<Seen> {
  const command = profile(APP, ...args, '-o', join(await folder(), 'x.cpuprofile'))
  assert.equal(await command.ended, 0, command.stderr.text)
  return command.stderr.told<Seen>('seen')[0]!
}

describe('geordi profile', () => {
  it('writes every kind of file asked for, and says what it does on standard error', async () => {
    const out = await folder()
    const [pdf, raw] = [join(out, 'report.pdf'), join(out, 'raw.cpuprofile')]
    const command = profile(APP, '/work?q=1', '-o', pdf, '-o', raw)
    assert.equal(await command.ended, 0, command.stderr.text)
    assert.equal(command.stdout.text, '')
    assert.match(command.stderr.text, /^geordi: starting .*noisy\.cjs$/m)
    assert.match(command.stderr.text, /^app on stdout$/m)
    assert.match(command.stderr.text, /^app on stderr$/m)
    assert.match(command.stderr.text, /^geordi: GET \/work\?q=1$/m)
    assert.match(command.stderr.text, /^geordi: answered 200, 6 bytes, in \d+ ms \((v8-profiler-next|node:inspector)\)$/m)
    assert.match(command.stderr.text, new RegExp(`^geordi: wrote ${pdf}$`, 'm'))
    assert.match(command.stderr.text, new RegExp(`^geordi: wrote ${raw}$`, 'm'))
    assert.equal((await readFile(pdf)).toString('latin1', 0, 5), '%PDF-')
    const { frames, run } = importCpuProfile(await readFile(raw))
    assert.ok(frames.some(frame => frame.name === 'navigateTheGalaxy'))
    assert.equal(run.request!.url, '/work?q=1')
    assert.deepEqual(replayFolders(), [])
  })

  it('tells what was asked with which values where that is wanted, and not otherwise', async () => {
    const [app, raw] = [join(await folder(), 'app.mjs'), join(await folder(), 'raw.cpuprofile')]
    await writeFile(app, `
      import { execFile } from 'node:child_process'
      import { createServer } from 'node:http'
      createServer((request, response) => execFile('true', ['tribble', 'phaser'], () => response.end())).listen(0)`)
    for (const args of [[], ['--values']]) {
      const command = profile(app, '/', '-o', raw, ...args)
      assert.equal(await command.ended, 0, command.stderr.text)
      assert.equal((await readFile(raw, 'utf8')).includes("'tribble', 'phaser' ]"), args.length > 0)
    }
  })

  it('writes to standard output nothing but what was asked for, whatever the app says', async () => {
    const command = profile(APP, '/work', '-o', '-', '--format', 'json', '--root', 'navigateTheGalaxy')
    assert.equal(await command.ended, 0, command.stderr.text)
    assert.match(command.stderr.text, /^app on stdout$/m)
    const { nodes, run } = JSON.parse(command.stdout.text)
    assert.equal(nodes.find((node: { name: string }) => node.name === 'navigateTheGalaxy').totalShare, 1)
    assert.equal(run.request.url, '/work')
  })

  it('keeps the recording when what was asked for can\'t be made of it: the request may not be one to run twice', async () => {
    const out = await folder()
    const command = profile(APP, '/work', '-o', join(out, 'x.dot'), '-o', join(out, 'y.cpuprofile'), '--focus', 'nobody')
    assert.equal(await command.ended, 1)
    assert.match(command.stderr.text, /^geordi: No sample is in the view/m)
    assert.deepEqual(await readdir(out), ['y.cpuprofile'])
    const alone = profile(APP, '/work', '-o', join(out, 'x.dot'), '--focus', 'nobody')
    assert.equal(await alone.ended, 1)
    assert.match(alone.stderr.text, /^geordi: wrote .*x\.dot\.cpuprofile instead, for geordi render$/m)
    assert.equal(importCpuProfile(await readFile(join(out, 'x.dot.cpuprofile'))).run.request!.url, '/work')
  })

  it('names the app\'s functions in the report', { skip: noPdftotext }, async () => {
    const pdf = join(await folder(), 'report.pdf')
    assert.equal(await profile(APP, '/work', '-o', pdf).ended, 0)
    const text = execFileSync('pdftotext', [pdf, '-'], { encoding: 'utf8' })
    for (const word of ['navigateTheGalaxy', 'plotTheCourse', '/work', '200']) assert.ok(text.includes(word), word)
  })

  it('sends what the command line says', async () => {
    const file = join(await folder(), 'body')
    await writeFile(file, Buffer.from([0, 255, 10, 13]))
    assert.deepEqual(await seenBy('/a%20b/../ü c?x=1&&y#fragment'), {
      method: 'GET', url: '/a%20b/../%C3%BC%20c?x=1&&y', rawHeaders: ['host', 'localhost', 'user-agent', 'geordi', 'accept', '*/*'], body: ''
    })
    assert.deepEqual(await seenBy('https://enterprise.example:8443/../x?', '-H', 'Accept: text/html', '-H', 'X-Empty:', '-H', 'x-dup: 1', '-H', 'x-dup: 2'), {
      method: 'GET', url: '/../x?', rawHeaders: ['host', 'enterprise.example:8443', 'user-agent', 'geordi', 'Accept', 'text/html', 'X-Empty', '', 'x-dup', '1', 'x-dup', '2'], body: ''
    })
    assert.deepEqual(await seenBy('http://enterprise.example?q', '-d', `@${file}`, '-H', 'Content-Type: application/octet-stream'), {
      method: 'POST', url: '/?q', rawHeaders: ['host', 'enterprise.example', 'user-agent', 'geordi', 'accept', '*/*', 'content-length', '4', 'Content-Type', 'application/octet-stream'], body: '\0\xff\n\r'
    })
    const { method, body, rawHeaders } = await seenBy('PUT', '/x', '-d', 'a=1', '-H', 'Transfer-Encoding: chunked')
    assert.deepEqual([method, body, rawHeaders.includes('content-length')], ['PUT', 'a=1', false])
    assert.equal((await seenBy('POST', '/x')).method, 'POST')
  })

  it('reports whatever status the app answers with', async () => {
    const command = profile(APP, '/nowhere', '-o', join(await folder(), 'x.pdf'))
    assert.equal(await command.ended, 0)
    assert.match(command.stderr.text, /answered 404/)
  })

  it('gives the app its own arguments', async () => {
    const command = profile(APP, '/work', '-o', join(await folder(), 'x.cpuprofile'), '--', 'listens', '0')
    assert.equal(await command.ended, 0)
  })

  const wrong: Array<[what: string, args: string[], message: RegExp]> = [
    ['no URL', [APP], /Give the file that starts your server/],
    ['a method that is none', [APP, 'get', '/x'], /method in capitals/],
    ['a URL that is none', [APP, 'x'], /neither a path/],
    ['a host that is none', [APP, 'http://a b/'], /is no URL/],
    ['a header that is none', [APP, '/', '-H', 'nonsense'], /-H 'nonsense' is no header/],
    ['a header of two lines', [APP, '/', '-H', 'A: b\r\nC: d'], /is no header/],
    ['a body\'s file that is not there', [APP, '/', '-d', '@/no/such'], /\/no\/such/],
    ['a name that does not say what to write', [APP, '/', '-o', 'report.html'], /must end in .*\.pdf, .*\.cpuprofile/],
    ['a folder that is not there', [APP, '/', '-o', '/no/such/report.pdf'], /\/no\/such\/report\.pdf can't be written/],
    ['a format for files', [APP, '/', '-o', 'x.pdf', '--format', 'dot'], /--format is for -o - only/],
    ['a focus that is no expression', [APP, '/', '--focus', '/(/'], /--focus: Invalid regular expression/],
    ['a link that runs code', [APP, '/', '--source-link', 'javascript:alert(1)'], /--source-link takes a URL/],
    ['an interval out of range', [APP, '/', '--interval', '1'], /--interval must be/],
    ['an app that is not there', ['/no/such.js', '/'], /no file \/no\/such\.js/]
  ]
  for (const [what, args, message] of wrong) {
    it(`refuses ${what} with exit code 2, before the app runs`, async () => {
      const command = profile(...args)
      assert.equal(await command.ended, 2)
      assert.match(command.stderr.text, message)
      assert.match(command.stderr.text, /See: geordi profile --help/)
      assert.doesNotMatch(command.stderr.text, /app on/)
    })
  }

  it('fails with exit code 1 and the reason when the app does not start or does not answer', async () => {
    const hanging = profile(APP, '/', '-o', join(await folder(), 'x.pdf'), '--start-timeout', '1000', '--', 'hangs')
    assert.equal(await hanging.ended, 1)
    assert.match(hanging.stderr.text, /^geordi: The app did not call listen\(\) within 1 s/m)
    const partial = join(await folder(), 'x.cpuprofile')
    const dying = profile(fixture('wire.js'), '/exits', '-o', partial)
    assert.equal(await dying.ended, 1)
    assert.equal(importCpuProfile(await readFile(partial)).run.ended, 'the process exited with code 7')
    assert.match(dying.stderr.text, /^geordi: The replay process ended with exit code 7/m)
    assert.deepEqual(replayFolders(), [])
  })

  for (const [when, args, sign] of [['starts', ['/', '--', 'hangs'], 'pid'], ['never answers', ['/never'], 'seen']] as const) {
    it(`leaves nothing after Ctrl-C while the app ${when}`, async () => {
      const out = join(await folder(), 'x.pdf')
      const command = profile(APP, '-o', out, ...args)
      await until(() => command.stderr.told(sign).length > 0, `the app tells ${sign}`)
      assert.equal(replayFolders().length, 1)
      command.child.kill('SIGINT')
      assert.equal(await command.ended, 130)
      assert.equal(await isAlive(command.stderr.told<number>('pid')[0]!), false)
      assert.deepEqual(replayFolders(), [])
      assert.equal(existsSync(out), false)
      assert.doesNotMatch(command.stderr.text, /geordi: The (app|replay)/, 'who interrupts knows why it ended')
    })
  }
})
