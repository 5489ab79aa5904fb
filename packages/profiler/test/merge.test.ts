import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Profile } from '@geordi/profile'
import { importRecording, withRun, type CpuProfile } from '@geordi/profiler'
import type { WaitRecording } from '@geordi/waits/recording'
import ts from 'typescript'
import { differences, mergedTimes, shareRight, trueTimes, type Spent } from './truth.ts'

const FIXTURES = new URL('../../test/fixtures/', import.meta.url)
const PROGRAMS = ['blocking', 'callbacks', 'chain', 'deep', 'drivers', 'fastify', 'generators', 'helper', 'recursion', 'resolved', 'storage', 'then', 'together']
/** `fastify`, `blocking` and `callbacks` have nothing that TypeScript would build otherwise. */
const BUILT = ['chain', 'drivers', 'generators', 'helper', 'recursion', 'resolved', 'together']
const RIGHT = 0.97
/** Another Node than this one may be named: stacks and callbacks are not the same in each. */
const NODE = process.env['GEORDI_TEST_NODE'] ?? process.execPath
/** A machine that is busy with other things takes the processor away for longer than the profiler's interval: what then ran nobody can tell. */
const TRIES = 40
/** No collections of garbage, which the collector also begins by itself while the program waits: they are nobody's, and the program's truth doesn't know of them. */
const NO_GARBAGE = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

interface Result {
  readonly profile: CpuProfile
  readonly recording: WaitRecording
  readonly spent: readonly Spent[]
  readonly window: { readonly start: number, readonly end: number }
}

let folder: string
before(async () => { folder = await mkdtemp(join(tmpdir(), 'geordi-merge-')) })
after(() => rm(folder, { recursive: true, force: true }))

async function run (program: string): Promise<Result> {
  const file = join(folder, 'result.json')
  await promisify(execFile)(NODE, [...NO_GARBAGE, fileURLToPath(new URL('run.mjs', FIXTURES)), program, file], { timeout: 60_000 })
  return JSON.parse(await readFile(file, 'utf8')) as Result
}

function merge ({ profile, recording, window }: Result): Profile {
  return importRecording(JSON.stringify(withRun(profile, {}, { window, waits: recording })))
}

async function assertRight (t: TestContext, program: string): Promise<void> {
  let worst = ''
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const result = await run(program)
    const merged = merge(result)
    assertSum(merged, result.window)
    const truth = trueTimes(result.spent)
    const times = mergedTimes(merged, pathToFileURL(program).href)
    const share = shareRight(truth, times)
    t.diagnostic(`${(share * 100).toFixed(1)} %`)
    if (share >= RIGHT) return
    worst = `${(share * 100).toFixed(1)} % of the time are under the right callers.\n${differences(truth, times)}`
  }
  assert.fail(worst)
}

/** The sum is the wall time, to less than a nanosecond of rounding for each stretch. */
function assertSum ({ samples }: Profile, { start, end }: Result['window']): void {
  const sum = samples.duration.reduce((sum, time) => sum + time, 0)
  assert.ok(Math.abs(sum - (end - start)) < 0.001, `${sum} is not ${end - start}`)
}

for (const name of PROGRAMS) {
  test(`97 % of the wall time are under the right callers: ${name}`, t => assertRight(t, fileURLToPath(new URL(`programs/${name}.mjs`, FIXTURES))))
}

function build (source: string, target: 'ES2016' | 'ES2022'): string {
  const { outputText } = ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget[target], module: ts.ModuleKind.ESNext } })
  return outputText.replaceAll("'../spend.mjs'", JSON.stringify(new URL('spend.mjs', FIXTURES).href))
}

for (const target of ['ES2016', 'ES2022'] as const) {
  for (const name of BUILT) {
    test(`97 % of the wall time are under the right callers: ${name}, built by TypeScript to ${target}`, async t => {
      const source = await readFile(new URL(`programs/${name}.mjs`, FIXTURES), 'utf8')
      const program = join(folder, `${name}-${target}.mjs`)
      await writeFile(program, build(source, target))
      await assertRight(t, program)
    })
  }
}

test('a wait is told at the line of its `await`, built by TypeScript to ES2016', async () => {
  const program = join(folder, 'lines.mjs')
  const built = build("import { setTimeout } from 'node:timers/promises'\nexport async function main () {\n  await setTimeout(2)\n  await setTimeout(2)\n}\n", 'ES2016')
  await writeFile(program, built)
  const { waits } = merge(await run(program))
  const lines = built.split('\n').flatMap((text, at) => text.includes('yield setTimeout') ? [at + 1] : [])
  assert.deepEqual(Array.from(waits!.site, site => waits!.sites[site]?.line), lines)
})

/** As esbuild writes it. */
const ESBUILD = `var __async = (__this, __arguments, generator) => {
  return new Promise((resolve, reject) => {
    var fulfilled = (value) => {
      try {
        step(generator.next(value));
      } catch (e) {
        reject(e);
      }
    };
    var rejected = (value) => {
      try {
        step(generator.throw(value));
      } catch (e) {
        reject(e);
      }
    };
    var step = (x) => x.done ? resolve(x.value) : Promise.resolve(x.value).then(fulfilled, rejected);
    step((generator = generator.apply(__this, __arguments)).next());
  });
};
`

/** As SWC writes it, and Babel nearly so. */
const SWC = `function asyncGeneratorStep(gen, resolve, reject, _next, _throw, key, arg) {
  try {
    var info = gen[key](arg);
    var value = info.value;
  } catch (error) {
    reject(error);
    return;
  }
  if (info.done) resolve(value);
  else Promise.resolve(value).then(_next, _throw);
}
function _async_to_generator(fn) {
  return function() {
    var self = this, args = arguments;
    return new Promise(function(resolve, reject) {
      var gen = fn.apply(self, args);
      function _next(value) {
        asyncGeneratorStep(gen, resolve, reject, _next, _throw, "next", value);
      }
      function _throw(err) {
        asyncGeneratorStep(gen, resolve, reject, _next, _throw, "throw", err);
      }
      _next(undefined);
    });
  };
}
`

/** Puts `_async_to_generator(…).call(this)` in place of each call of TypeScript's helper. */
function asSwc (text: string): string {
  const call = '__awaiter(this, void 0, void 0, '
  const at = text.indexOf(call)
  if (at < 0) return text.replace(/var __awaiter[^]*?\n};\n/, SWC)
  let end = at + call.length
  for (let depth = 1; depth > 0; end++) depth += text[end] === '(' ? 1 : text[end] === ')' ? -1 : 0
  return asSwc(`${text.slice(0, at)}_async_to_generator(${text.slice(at + call.length, end)}.call(this)${text.slice(end)}`)
}

for (const [what, change] of [
  ['in a bundle, where TypeScript\'s helper has a number', (text: string) => text.replaceAll('__awaiter', '__awaiter$1')],
  ['with esbuild\'s helper', (text: string) => text.replace(/var __awaiter[^]*?\n};\n/, ESBUILD).replaceAll('__awaiter(this, void 0, void 0, ', '__async(this, null, ')],
  ['with the helper of SWC and Babel', asSwc]
] as const) {
  test(`97 % of the wall time are under the right callers: drivers, ${what}`, async t => {
    const source = await readFile(new URL('programs/drivers.mjs', FIXTURES), 'utf8')
    const built = change(build(source, 'ES2016'))
    assert.ok(!/__awaiter\b(?!\$)/.test(built))
    const program = join(folder, `drivers-${what.length}.mjs`)
    await writeFile(program, built)
    await assertRight(t, program)
  })
}
