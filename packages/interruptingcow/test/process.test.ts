import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAlive, until } from './until.ts'

/*
 * What the package does to a process, each in one of its own.
 */
const index = new URL('../src/index.js', import.meta.url)

function run (script: string, { flags = [] as string[], type = 'module' } = {}): { stdout: string, stderr: string, status: number | null } {
  return spawnSync(process.execPath, [...flags, `--input-type=${type}`, '-e', script], { encoding: 'utf8', timeout: 60_000 })
}

function succeed (script: string, options?: { flags?: string[], type?: string }): string {
  const { stdout, stderr, status } = run(script, options)
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return stdout.trim()
}

const load = `import { timeout, Quota, BoxError } from ${JSON.stringify(index.href)};`

describe('the package in a process', () => {
  it('has used its storage before the first box, whose interruption would leave every AsyncLocalStorage without its store', () => {
    const internals = new URL('../src/sync/internals.js', import.meta.url)
    assert.equal(succeed(`${load}
      import { AsyncLocalStorage } from 'node:async_hooks'
      import { findInternals } from ${JSON.stringify(internals.href)}
      const hooks = () => findInternals().hookFields[0] // how many want to know of new resources
      timeout.sync.prepare()
      const before = hooks()
      new AsyncLocalStorage().run(1, () => {})
      console.log(hooks() - before)`), '0')
  })

  it('prints what is written in a box, in order, whatever becomes of the box and of the process', () => {
    for (const [end, status, printed] of [['', 0, 'one\ntwo\n5\nlast\n'], ['process.exit(3)', 3, 'one\ntwo\n5\n']] as const) {
      const result = run(`${load}
        // Not where it exits: what a pipe has no room for would be lost, as ever.
        for (let i = 0; i < ${end === '' ? 20 : 0}; i++) try { timeout.sync(1, () => { for (;;) { console.log(''); process.stderr.write('\\n') } }) } catch {}
        try {
          timeout.sync(3000, box => {
            console.log('one')
            const bytes = Buffer.from('two\\n')
            process.stdout.write(bytes)
            bytes.fill(0)
            timeout.sync(60_000, () => { console.log(5); console.error('error') })
            try { process.stdout.write(5) } catch (error) { console.error(error.code) }
            ${end}
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
          })
        } catch {}
        console.log('last')`)
      assert.equal(result.status, status, result.stderr)
      assert.equal(result.stdout.trimStart(), printed)
      assert.equal(result.stderr.trimStart(), 'error\nERR_INVALID_ARG_TYPE\n')
    }
  })

  it('can be required', () => {
    // require(esm) still warns on Node 20.
    assert.equal(succeed(`const { timeout } = require(${JSON.stringify(fileURLToPath(index))})
      console.log(timeout.sync(60_000, () => 5))`, { type: 'commonjs', flags: ['--no-warnings'] }), '5')
  })

  it('leaves nothing behind after many boxes', () => {
    const script = `${load}
      const quota = new Quota(1e9)
      const sync = timeout.sync.wrap(1e6, () => 1)
      async function many (count) {
        for (let i = 0; i < count; i++) {
          await timeout(1e6, async box => { if (i % 4 === 0) box.defer(() => {}); if (i % 16 === 0) await timeout(quota, () => i); return i })
          if (i % 500 === 0) sync()
        }
        for (let i = 0; i < 10; i++) { await timeout(1, () => new Promise(() => {})).catch(() => {}); try { timeout.sync(1, () => { for (;;); }) } catch {} }
        globalThis.gc(); await new Promise(resolve => setTimeout(resolve, 5)); globalThis.gc()
        return process.memoryUsage().heapUsed
      }
      await many(50_000)
      const before = await many(10)
      const after = await many(1_000_000)
      console.log(JSON.stringify({ grown: after - before, active: process.getActiveResourcesInfo().filter(name => name === 'Timeout').length, running: quota.running() }))`
    const { grown, active, running } = JSON.parse(succeed(script, { flags: ['--expose-gc'] }))
    assert.ok(grown < 300_000, `${grown} bytes after 1,000,000 boxes`)
    assert.equal(active, 0)
    assert.equal(running, false)
  })

  it('is idle without boxes: no timer, no thread, nothing that keeps it from ending', () => {
    assert.equal(succeed(`${load}
      timeout.sync.prepare()
      await timeout(1e6, async () => 1)
      timeout.sync(1e6, () => 1)
      console.log(process.getActiveResourcesInfo().filter(name => !/TTY|Pipe|^CloseReq$/.test(name)).join())`), '')
  })

  it('an idle pool of isolated calls does not keep it from ending', async () => {
    const file = fileURLToPath(new URL('../../test/fixtures/idle-pool.js', import.meta.url))
    for (const runtime of ['process', 'thread']) {
      const { stdout, stderr, status } = spawnSync(process.execPath, [file, runtime], { encoding: 'utf8', timeout: 60_000 })
      assert.equal(status, 0, stderr)
      const { pid, waited } = JSON.parse(stdout) as { pid: number, waited: number }
      assert.ok(waited < 9500, 'it waited until the pool had been idle for long')
      await until(() => !isAlive(pid))
    }
  })

  it('inherits what an isolated call needs from code that is given as text', () => {
    const work = new URL('../../test/fixtures/work.js', import.meta.url)
    assert.equal(succeed(`${load} console.log(await timeout.isolated(60_000, ${JSON.stringify(work.href)}, [2, 3]))`), '5')
  })

  it('works in a worker thread', () => {
    assert.equal(succeed(`${load}
      import { Worker } from 'node:worker_threads'
      const code = \`Promise.all([import('node:worker_threads'), import(\${JSON.stringify(${JSON.stringify(index.href)})})]).then(([{ parentPort }, { timeout }]) => {
        try { timeout.sync(5, () => { for (;;); }) } catch (error) { parentPort.postMessage(error.code) } })\`
      new Worker(code, { eval: true }).on('message', code => console.log(code))
      try { timeout.sync(50, () => { for (;;); }) } catch {}`), 'GEORDI_BOX_TIMEOUT')
  })

  it('refuses to interrupt where the process could not be put right, and limits asynchronous code all the same', () => {
    const permission = process.version.startsWith('v20') || process.version.startsWith('v22') ? '--experimental-permission' : '--permission'
    const stdout = succeed(`${load}
      const report = error => { console.log(error.code, error instanceof BoxError, /timeout.isolated/.test(error.message)) }
      try { timeout.sync(5, () => 1) } catch (error) { report(error) }
      try { timeout.sync.prepare() } catch (error) { report(error) }
      await timeout(5, () => new Promise(() => {})).catch(report)`, { flags: ['--no-warnings', permission, '--allow-fs-read=*'] })
    assert.deepEqual(stdout.split('\n'), ['GEORDI_BOX_UNSUPPORTED true true', 'GEORDI_BOX_UNSUPPORTED true true', 'GEORDI_BOX_TIMEOUT true false'])
  })

  it('refuses to interrupt where Node keeps its state in another way', () => {
    assert.equal(succeed(`${load}
      import { AsyncResource } from 'node:async_hooks'
      AsyncResource.prototype.runInAsyncScope = function (fn, self, ...args) { return fn.apply(self, args) }
      try { timeout.sync(5, () => 1) } catch (error) { console.log(error.code, error.message.includes(process.version)) }`), 'GEORDI_BOX_UNSUPPORTED true')
  })

  it('refuses to interrupt where something can not be guarded, and in a context of vm', () => {
    assert.match(succeed(`${load}
      import vm from 'node:vm'
      vm.runInThisContext = code => vm.runInNewContext(code) // as it is for a module in a context: the global object is another one
      try { timeout.sync(5, () => 1) } catch (error) { console.log(error.code, error.message) }`), /^GEORDI_BOX_UNSUPPORTED .*Jest/)
    assert.equal(succeed(`${load}
      Object.defineProperty(AbortSignal, 'timeout', { writable: false })
      try { timeout.sync(5, () => 1) } catch (error) { console.log(error.code, error.cause.message) }`), "GEORDI_BOX_UNSUPPORTED timeout can't be replaced")
  })

  it('refuses to interrupt where file descriptors have run out, and cleans up all the same', () => {
    const script = `${load}
      import { closeSync, openSync } from 'node:fs'
      const opened = []
      const openAll = () => { try { for (;;) opened.push(openSync('/dev/null')) } catch {} }
      const closeAll = () => { while (opened.length > 0) closeSync(opened.pop()) }
      timeout.sync(60_000, () => 1)
      openAll()
      for (const until = performance.now() + 2; performance.now() < until;);
      let error
      try { timeout.sync(60_000, () => { closeAll(); console.log('the body ran') }) } catch (thrown) { error = thrown }
      closeAll()
      console.log(error.code, /ulimit/.test(error.message), timeout.sync(60_000, () => 5))
      timeout.sync(60_000, box => { box.defer(closeAll); openAll() })
      console.log(opened.length, timeout.sync(60_000, () => 6))`
    const { stdout, stderr, status } = spawnSync('sh', ['-c', 'ulimit -n 200 && exec "$0" --input-type=module -e "$1"', process.execPath, script], { encoding: 'utf8', timeout: 60_000 })
    assert.equal(status, 0, stderr)
    assert.equal(stdout, 'GEORDI_BOX_REFUSED true 5\n0 6\n')
  })

  it('works in a bundle, where only isolated calls say that they do not', () => {
    // What a bundler leaves of `import.meta` in CommonJS.
    const hook = `export async function load (url, context, next) {
      const loaded = await next(url, context)
      return url.startsWith(${JSON.stringify(new URL('.', index).href)}) ? { ...loaded, source: String(loaded.source).replaceAll('import.meta', '({})') } : loaded
    }`
    assert.match(succeed(`import { register } from 'node:module'
      register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hook))})
      const { timeout } = await import(${JSON.stringify(index.href)})
      const timer = setTimeout(() => {}, 1)
      for (const body of [() => { for (;;); }, () => timer.refresh()]) try { timeout.sync(200, body) } catch (error) { console.log(error.code) }
      await timeout.isolated(60_000, 'data:text/javascript,export default () => 5').catch(error => console.log(error.code, error.message))`, { flags: ['--no-warnings'] }),
    /^GEORDI_BOX_TIMEOUT\nGEORDI_BOX_REFUSED\nGEORDI_BOX_NO_POOL .* out of the bundle/)
  })

  it('says what to install where there is no pool', () => {
    assert.match(succeed(`import { register } from 'node:module'
      register('data:text/javascript,' + encodeURIComponent('export async function resolve (name, context, next) { if (name === "tinypool") throw new Error("not found"); return next(name, context) }'))
      const { timeout } = await import(${JSON.stringify(index.href)})
      await timeout.isolated(60_000, 'file:///nowhere.js').catch(error => console.log(error.code, error.message))`, { flags: ['--no-warnings'] }),
    /^GEORDI_BOX_NO_POOL .*npm install tinypool/)
  })
})
