import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { buildSync, type BuildOptions } from 'esbuild'
import ts from 'typescript'
import { classify, frameLocation, functionName, importCpuProfile, type Run } from '../src/index.ts'
import { resolveSources } from '../src/sources/index.ts'
import { temporaryFolder } from './sources-support.ts'

const SPIN = `export function spin (): void {
  const used = () => process.cpuUsage().user + process.cpuUsage().system
  const end = used() + 30_000
  while (used() < end);
}
`
const LIBRARY = 'export function price (visit) {\n  visit()\n}\n'
const MAIN = `import { spin } from './spin'
import { price } from 'pricing'

interface Item { readonly value: number }

abstract class Base {
  abstract act (): void
}

class Session extends Base {
  constructor (private readonly items: Item[]) { super() }

  act (): void {
    this.items.forEach(item => {
      spin()
    })
  }

  save = async (): Promise<void> => {
    price(() => {
      spin()
    })
  }
}

function main (): void {
  const session = new Session([{ value: 1 }])
  session.act()
  void session.save()
}
main()
`

/** What the sampled functions of the application are called, and where: the same however they were built. */
const EXPECTED = [
  'main src/main.ts:26', 'Session.act src/main.ts:13', 'items.forEach callback in Session.act src/main.ts:14', 'Session.save src/main.ts:19',
  'price callback in Session.save src/main.ts:20', 'spin src/spin.ts:1'
]

/** How each tool builds `src` in the folder into something that Node runs; gives the file to run. */
const BUILDS: ReadonlyArray<readonly [what: string, build: (folder: string) => string]> = [
  ['TypeScript, a map in the script', folder => transpile(folder, { inlineSourceMap: true })],
  ['TypeScript, a map beside it', folder => transpile(folder, { sourceMap: true })],
  ['TypeScript, a map with a sourceRoot', folder => transpile(folder, { sourceMap: true, sourceRoot: pathToFileURL(join(folder, 'src/')).href })],
  ['TypeScript with its sources in the map', folder => transpile(folder, { inlineSourceMap: true, inlineSources: true })],
  ['esbuild, bundled', folder => bundle(folder, { sourcemap: 'linked' })],
  ['esbuild, bundled and minified', folder => bundle(folder, { sourcemap: 'linked', minify: true })],
  ['esbuild, minified, a map in the script', folder => bundle(folder, { sourcemap: 'inline', minify: true })],
  ['esbuild, minified, as an ES module with its names kept', folder => bundle(folder, { sourcemap: 'linked', minify: true, keepNames: true, format: 'esm', outfile: 'out.mjs' })],
  ['esbuild, minified, a map in sections', folder => {
    const file = bundle(folder, { sourcemap: 'linked', minify: true })
    const map = JSON.parse(readFileSync(`${file}.map`, 'utf8'))
    writeFileSync(`${file}.map`, JSON.stringify({ version: 3, sections: [{ offset: { line: 0, column: 0 }, map }] }))
    return file
  }]
]

for (const [what, build] of BUILDS) {
  describe(what, () => {
    let folder: string
    let run: Run
    let functions: string[]
    let packages: string[]
    let notes: readonly object[]

    before(async () => {
      folder = temporaryFolder({ after })
      mkdirSync(join(folder, 'src'))
      mkdirSync(join(folder, 'node_modules/pricing'), { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{"name":"shop","version":"1.0.0"}')
      writeFileSync(join(folder, 'src/main.ts'), MAIN)
      writeFileSync(join(folder, 'src/spin.ts'), SPIN)
      writeFileSync(join(folder, 'node_modules/pricing/package.json'), '{"name":"pricing","version":"2.1.0","main":"index.js"}')
      writeFileSync(join(folder, 'node_modules/pricing/index.js'), 'exports.price = function price (visit) {\n  visit()\n}\n')
      writeFileSync(join(folder, 'node_modules/pricing/index.mjs'), LIBRARY)
      run = { process: { hostname: 'h', pid: 1, node: process.version, root: folder } }
      const script = build(folder)
      await promisify(execFile)(process.execPath, ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', join(folder, 'profile'), script])
      const profile = { ...importCpuProfile(readFileSync(join(folder, 'profile', readdirSync(join(folder, 'profile'))[0] as string))), run }
      const resolved = await resolveSources(profile)
      notes = resolved.notes
      const described = resolved.profile.frames.map(frame => ({ kind: classify(frame, run), text: `${functionName(frame)} ${frameLocation(frame, run).text}`, frame }))
      functions = described.filter(({ kind }) => kind === 'app').map(({ text }) => text)
      packages = described.filter(({ kind }) => kind === 'dependency').map(({ text, frame }) => `${text} ${frameLocation(frame, run).packageVersion}`)
    })

    test('each function has the name and the place that were written', () => {
      assert.deepEqual(notes, [])
      for (const expected of EXPECTED) assert.ok(functions.includes(expected), `${expected} isn't in\n${functions.join('\n')}`)
    })

    test('a package\'s function is the package\'s, in a bundle too', () => {
      assert.ok(packages.some(text => /^(exports\.)?price pricing\/index\.m?js:1 2\.1\.0$/.test(text)), packages.join('\n'))
    })
  })
}

function transpile (folder: string, options: ts.CompilerOptions): string {
  mkdirSync(join(folder, 'dist'))
  for (const name of ['main', 'spin']) {
    const { outputText, sourceMapText } = ts.transpileModule(readFileSync(join(folder, `src/${name}.ts`), 'utf8'), {
      fileName: `${name}.ts`,
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, ...options }
    })
    const source = options.sourceRoot === undefined ? `../src/${name}.ts` : `${name}.ts`
    const inline = /(?<=sourceMappingURL=data:application\/json;base64,).*/
    writeFileSync(join(folder, `dist/${name}.js`), outputText.replace(inline, map =>
      Buffer.from(mapOf(Buffer.from(map, 'base64').toString(), source)).toString('base64')))
    if (sourceMapText !== undefined) writeFileSync(join(folder, `dist/${name}.js.map`), mapOf(sourceMapText, source))
  }
  return join(folder, 'dist/main.js')
}

/** `transpileModule` knows no folders: the compiler itself writes the path from the map to the source. */
function mapOf (text: string, source: string): string {
  return JSON.stringify({ ...JSON.parse(text), sources: [source] })
}

function bundle (folder: string, { outfile = 'out.cjs', ...options }: BuildOptions): string {
  const file = join(folder, 'dist', outfile)
  buildSync({ absWorkingDir: folder, entryPoints: ['src/main.ts'], bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'silent', ...options, outfile: file })
  return file
}
