import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { chromium, type Browser, type Page } from 'playwright-core'
import { folder, startAll, toolsOnly, type Started } from './started.ts'

const executablePath = findChromium()

/** Where to leave screenshots, for looking at; nowhere unless asked. */
const screenshots = process.env['GEORDI_SCREENSHOTS']

describe('what an admin sees in a browser', { skip: executablePath === null && 'needs chromium on the PATH' }, () => {
  let started: Started
  let browser: Browser
  let page: Page
  const complaints: string[] = []

  before(async () => {
    started = await startAll({ GEORDI_DATA: join(folder, 'browser'), PATH: toolsOnly })
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
    })
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } })
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()) })
  })
  after(async () => {
    await browser?.close()
    started?.process.kill('SIGTERM')
    await started?.exitCode
  })

  test('a profile link leads over the progress to the report', { timeout: 120_000 }, async () => {
    await page.goto(`${started.url}/login`)
    await page.fill('input[name=username]', 'picard')
    await page.fill('input[name=password]', 'engage')
    await Promise.all([page.waitForURL(`${started.url}/`), page.click('form[action="/login"] button')])
    await picture('home')
    assert.ok(await page.locator('a.profile').count() > 2)

    // Long enough for the progress to be seen.
    await page.goto(`${started.url}/slow/cpu?ms=4000&__geordi__`)
    assert.match(page.url(), /\/__geordi__\/[\w-]{22}$/)
    await page.getByRole('heading', { name: 'Replaying under the profiler' }).waitFor()
    assert.equal(await page.locator('li.now').textContent(), 'Replaying')
    assert.match(await page.locator('.request').textContent() ?? '', /GET\s*\/slow\/cpu\?ms=4000$/)
    await picture('progress')

    await page.getByRole('heading', { name: 'The report is ready' }).waitFor({ timeout: 60_000 })
    assert.match(await page.locator('main').textContent() ?? '', /The app answered 200 after \d\.\d s\./)
    const address = await page.getByRole('link', { name: 'Open the PDF' }).getAttribute('href')
    assert.equal(address, `${new URL(page.url()).pathname}/report.pdf`)
    assert.equal(await page.locator('iframe').getAttribute('src'), address)
    await picture('report')
    const pdf = await page.request.get(started.url + address)
    assert.equal(pdf.headers()['content-type'], 'application/pdf')
  })

  test('a replay that is not there has a page that says so', { timeout: 60_000 }, async () => {
    const answer = await page.goto(`${started.url}/__geordi__/AAAAAAAAAAAAAAAAAAAAAA`)
    assert.equal(answer?.status(), 404)
    assert.match(await page.locator('main').textContent() ?? '', /no such replay/)
    await picture('gone')
    // Chromium reports the 404 itself as an error of the page that asked for it.
    complaints.splice(0, complaints.length, ...complaints.filter(text => !/404/.test(text)))
  })

  test('no page broke its own policy or threw', () => assert.deepEqual(complaints, []))

  async function picture (name: string): Promise<void> {
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${name}.png`) })
  }
})

function findChromium (): string | null {
  for (const place of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
      if (existsSync(join(place, name))) return join(place, name)
    }
  }
  return null
}
