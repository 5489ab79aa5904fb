import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import helmet from '@fastify/helmet'
import { REPORT, type Replay } from '@geordi/replay'
import { executablePath, launchChromium } from './chromium.ts'
import { head, queueServer, raw, start, take } from './support.ts'

const server = await queueServer()

/** Where to leave screenshots, for looking at; nowhere unless asked. */
const screenshots = process.env['GEORDI_SCREENSHOTS']

/** Each would show itself: by `window.pwned`, by a request, or by a layout that is torn apart. */
const HOSTILE: Readonly<Record<string, string>> = {
  'a script': '</title></style></pre></div><script>window.pwned = 1</script>',
  'an attribute': '"\' onmouseover=window.pwned=1 autofocus onfocus=window.pwned=1 x="><img src=x onerror=window.pwned=1>',
  'a comment and a refresh': '--><!--<meta http-equiv=refresh content="0;url=//127.0.0.1:1/">]]><svg/onload=window.pwned=1>',
  entities: '&lt;script&gt;window.pwned=1&lt;/script&gt;&#60;img src=x onerror=window.pwned=1&#62;&quot;&apos;&notit;',
  'control characters': 'NUL \0 BEL \x07 ESC \x1b[31m DEL \x7f VT \v FF \f lone \ud800 end',
  'writing backwards': '\u202egnp.exe \u2066\u2067\u2069\u202d\u200f\u05d0\u05d1 \u{e0041}\u{1f469}\u200d\u{1f680}',
  'combining marks': 'Z' + '\u0300\u0301\u0302\u0489'.repeat(200),
  '10,000 letters': 'w'.repeat(10_000),
  '10,000 words and lines': 'word\n'.repeat(2_500),
  templates: '{{constructor.constructor("window.pwned=1")()}} <%= window.pwned = 1 %> #{window.pwned=1} javascript:window.pwned=1'
}

/** As a URL can carry it over the wire: without what HTTP itself refuses. */
const inUrl = (text: string) => Buffer.from(text).toString('latin1').replace(/[\0-\x20%\x7f-\xff]/g, character => encodeURIComponent(character))

describe('hostile text in an admin\'s browser', { skip: executablePath === null && 'needs chromium on the PATH', timeout: 240_000 }, () => {
  let browser: Browser
  before(async () => { browser = await launchChromium() })
  after(() => browser?.close())

  for (const helmeted of [false, true]) {
    // Helmet's policy is in force beside ours: what matters of that are the texts that would be markup.
    const texts = Object.entries(HOSTILE).filter(([what]) => !helmeted || ['a script', 'an attribute'].includes(what))
    for (const [what, text] of texts) {
      it(`is text and nothing else: ${what}${helmeted ? ', under helmet' : ''}`, async t => {
        const { port, name } = await start(t, server.url, async app => {
          if (helmeted) await app.register(helmet)
          app.get('/*', async () => 'x')
        }, {
          server: { http: { maxHeaderSize: 65_536 } } as object,
          isAdmin: () => true,
          identify: () => text,
          capture: request => { if (request.url.startsWith('/throws')) throw new Error(text) }
        })
        const taker = await take(t, { url: server.url, name })
        const page = await browser.newPage({ viewport: { width: 1000, height: 800 } })
        t.after(() => page.close())
        const site = `http://127.0.0.1:${port}`
        const elsewhere: string[] = []
        page.on('request', request => { if (!request.url().startsWith(`${site}/`) && !/^chrome(-extension)?:|^about:/.test(request.url())) elsewhere.push(request.url()) })
        page.on('dialog', dialog => { elsewhere.push('a dialog'); dialog.dismiss().catch(() => {}) })

        const show = async (path: string, kind: string) => {
          await page.goto(site + path)
          await assertHarmless(page, kind)
          if (screenshots !== undefined && !helmeted) await page.screenshot({ path: join(screenshots, `hostile-${what}-${kind}.png`.replaceAll(/[ ,]/g, '-')) })
        }

        const path = `/${inUrl(text.slice(0, 100))}?q=${inUrl(text)}`
        const sent = await raw(port, head(`GET ${path}&__geordi__ HTTP/1.1`, 'Host: x', 'Connection: close', 'Accept: text/html'))
        const address = /^location: (.*)\r$/m.exec(sent)![1]!
        const task = await taker.next()
        assert.equal(task.request.url, path)
        const states: Array<[kind: string, changes: Partial<Replay> & Pick<Replay, 'state'>]> = [
          ['running', { state: 'running', startedAt: Date.now(), worker: text }],
          ['failed', { state: 'failed', error: { code: text, message: text } }],
          ['lost', { state: 'lost', ran: true, error: { code: text, message: text } }],
          ['done', { state: 'done', statusCode: 200 }]
        ]
        for (const [kind, changes] of states) {
          if (kind === 'done') await task.attach(REPORT, Buffer.from('%PDF-1.7'))
          await task.update(changes)
          await show(address, kind)
        }
        // What another site links to, and what the app's own hook said.
        const linked = await raw(port, head(`GET ${path}&__geordi__ HTTP/1.1`, 'Host: x', 'Connection: close', 'Accept: text/html', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Dest: document'))
        assert.match(linked, /^HTTP\/1\.1 403 /)
        await page.goto('about:blank')
        await page.setContent(linked.slice(linked.indexOf('<!doctype')).replace(/\r\n0\r\n\r\n$/, ''))
        await assertHarmless(page, 'elsewhere')
        await show('/throws?__geordi__', 'error')
        assert.deepEqual(elsewhere, [])
      })
    }
  }
})

async function assertHarmless (page: Page, kind: string): Promise<void> {
  const seen = await page.evaluate(`({
    pwned: window.pwned,
    foreign: document.querySelectorAll('script, img, svg, object, embed, base, [onload], [onerror], [onfocus], [onmouseover]').length,
    mains: document.querySelectorAll('body > main').length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    heading: document.querySelector('h1').getBoundingClientRect().top,
    high: Math.max(0, ...[...document.querySelectorAll('.request, pre, p')].map(element => element.getBoundingClientRect().height)) / innerHeight
  })`) as { pwned: unknown, foreign: number, mains: number, wide: number, heading: number, high: number }
  assert.equal(seen.pwned, undefined, kind)
  assert.deepEqual([seen.foreign, seen.mains], [0, 1], `${kind}: nothing but our own elements`)
  assert.equal(seen.wide, 0, `${kind}: nothing sticks out`)
  assert.ok(seen.heading < 200, `${kind}: the heading is where it belongs`)
  assert.ok(seen.high < 1, `${kind}: no text takes more than the window (${seen.high})`)
}
