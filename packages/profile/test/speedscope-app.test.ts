import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { exportCpuProfile, importCpuProfile } from '../src/index.ts'
import { exportCollapsed, exportSpeedscope } from '../src/exports/index.ts'
import { uniqueLabels } from '../src/exports/labels.ts'
import { temporaryFolder } from './sources-support.ts'
import { HOSTILE_FILE, timesByName } from './sample-profiles.ts'

const APP = join(dirname(createRequire(import.meta.url).resolve('speedscope/package.json')), 'dist/release/index.html')
const executablePath = findChromium()
const profile = importCpuProfile(HOSTILE_FILE)

describe('speedscope itself, in a browser', { skip: executablePath === undefined && 'needs chromium on the PATH' }, () => {
  const folder = temporaryFolder({ after })
  let browser: Browser
  before(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  })
  after(() => browser.close())

  /** Loads a file and gives the rows of speedscope's table: name, microseconds in the function, and with all it calls. */
  async function open (name: string, text: string): Promise<Array<[name: string, self: number, total: number]>> {
    const page: Page = await browser.newPage()
    try {
      const errors: string[] = []
      page.on('pageerror', error => errors.push(error.message))
      // As its own command line does it.
      const script = join(folder, 'load.js')
      writeFileSync(script, `speedscope.loadFileFromBase64(${JSON.stringify(name)}, '${Buffer.from(text).toString('base64')}')`)
      await page.goto(`${pathToFileURL(APP).href}#localProfilePath=${script}`)
      await page.waitForFunction('document.body.innerText.includes("Sandwich")')
      await page.keyboard.press('3')
      await page.waitForSelector('table tr td')
      assert.deepEqual(errors, [])
      const rows = await page.evaluate<string[][]>('Array.from(document.querySelectorAll("table tr"), row => Array.from(row.cells, cell => cell.textContent))')
      return rows.slice(1).map(([total = '', self = '', symbol = '']) => [wellFormed(symbol), microseconds(self), microseconds(total)])
    } finally {
      await page.close()
    }
  }

  /** The functions' times, the longest first: speedscope writes them with three digits. */
  function assertRows (rows: Array<[name: string, self: number, total: number]>, expected: Iterable<readonly [string, { self: number, total: number }]>): void {
    const wanted = Array.from(expected).filter(([, { total }]) => total > 0).sort(([, a], [, b]) => b.self - a.self)
    assert.deepEqual(rows.map(([name]) => name), wanted.map(([name]) => name))
    rows.forEach(([name, self, total], at) => {
      const [, time] = wanted[at] as typeof wanted[number]
      assert.ok(Math.abs(self - time.self) <= 0.006 * time.self, `self of ${name}: ${self}, not ${time.self}`)
      assert.ok(Math.abs(total - time.total) <= 0.006 * time.total, `total of ${name}: ${total}, not ${time.total}`)
    })
  }

  test('reads .speedscope.json, and agrees on every function\'s self and total time', async () => {
    const rows = await open('x.speedscope.json', JSON.stringify(exportSpeedscope(profile)))
    const times = timesByName(profile, ({ name, column }) => `${name || '(anonymous)'} ${column}`)
    const expected = Array.from(times, ([key, time]) => [wellFormed(key.replace(/ \d+$/, '')), time] as const)
    assertRows(rows, expected)
    assertRows(await open('x.speedscope.json', JSON.stringify(exportSpeedscope(profile, 1))), expected)
  })

  test('reads .collapsed, and agrees', async () => {
    const labels = uniqueLabels(profile)
    const rows = await open('x.collapsed', Array.from(exportCollapsed(profile)).join(''))
    assert.deepEqual(rows.find(row => row[0] === '(root)'), ['(root)', 5, 5], 'a sample of the root itself is a stack of its own')
    const times = timesByName(profile, (_, frame) => labels[frame] as string)
    const expected = Array.from(times, ([name, time]) => [wellFormed(name.replaceAll(';', ':').replaceAll('\0\n', ' ')), time] as const)
    assertRows(rows.filter(row => row[0] !== '(root)'), expected)
  })

  test('reads the .cpuprofile that is exported', async () => {
    const rows = await open('x.cpuprofile', JSON.stringify(exportCpuProfile(profile)))
    // Not the times: it takes a sample's time to be the gap after it, and V8 records the one before.
    for (const name of ['fib', 'main;a', '(garbage collector)']) assert.ok(rows.some(row => row[0] === name), name)
  })
})

/** Halves of characters don't survive being written as UTF-8. */
function wellFormed (name: string): string {
  return Buffer.from(name).toString()
}

function microseconds (cell: string): number {
  const [, digits = '', unit] = /^([\d,.]+)(µs|ms|s)? \(/.exec(cell) ?? []
  return Number(digits.replaceAll(',', '')) * ({ ms: 1e3, s: 1e6 }[unit as string] ?? 1)
}

function findChromium (): string | undefined {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
    } catch {
      // The next one, then.
    }
  }
  return undefined
}
