import { FINAL_STATES, RAW_PROFILE, REPORT, SNAPSHOT, type Replay, type ReplayState } from '@geordi/replay'

/** Seconds until a page of a replay under way loads itself again: no script, so it works under any policy. */
const REFRESH = 1
/** Milliseconds in the queue after which the page says how to start a worker. */
const LONG_IN_QUEUE = 5_000
/** Characters of a URL in a page's title. */
const LONG_TITLE = 200
const NO_WORKER = `<p class="hint">No worker has taken it yet: all are busy, or none is running. Start one with
  <code>geordi worker &lt;entry&gt;</code>, with this app's queue URL and secret.</p>`

const NOTHING_KEPT = '<p class="soft">Nothing of its recording was kept. What ends a process within its first quarter of a second leaves none.</p>'

const STEPS: ReadonlyArray<{ state: ReplayState, label: string }> = [
  { state: 'queued', label: 'Queued' },
  { state: 'starting', label: 'App starting' },
  { state: 'running', label: 'Replaying' },
  { state: 'rendering', label: 'Drawing' },
  { state: 'done', label: 'Report' }
]

const TITLES: Readonly<Record<ReplayState, string>> = Object.freeze({
  queued: 'Waiting for a worker',
  starting: 'A worker starts the app',
  running: 'Replaying under the profiler',
  rendering: 'Drawing the report',
  done: 'The report is ready',
  failed: 'There is no report',
  lost: 'The outcome is unknown'
})

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2733; --soft: #5b6b7b; --line: #d5dde5; --ground: #f5f7f9; --paper: #fff; --accent: #b3431e; --ok: #2f7d4f }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa9b8; --line: #36424f; --ground: #161c23; --paper: #1e262f; --accent: #f08a5d; --ok: #6fc08f } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; display: flex; flex-direction: column; min-height: 100vh }
main { width: 100%; max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.5rem }
main.wide { max-width: none; flex: 1; display: flex; flex-direction: column; padding: 1.25rem 1.5rem 1.5rem }
.brand { color: var(--accent); font-weight: 600; letter-spacing: .04em; margin: 0 0 .25rem }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .5rem }
.request { font-family: ui-monospace, monospace; overflow-wrap: anywhere; unicode-bidi: isolate; max-height: 9rem; overflow: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; margin: 1rem 0 }
.request b { margin-right: .6em }
ol { list-style: none; display: flex; gap: .5rem; padding: 0; margin: 1.75rem 0 }
li { flex: 1; border-top: 4px solid var(--line); padding-top: .5rem; color: var(--soft); font-size: .9rem }
@media (max-width: 30rem) { ol { gap: .25rem } li { font-size: .75rem } }
li.past { border-color: var(--ok); color: var(--ink) }
li.now { border-color: var(--accent); color: var(--ink); font-weight: 600 }
p.soft { color: var(--soft); margin: .25rem 0 }
p { overflow-wrap: anywhere; max-height: 9rem; overflow: auto }
pre { white-space: pre-wrap; unicode-bidi: isolate; overflow-wrap: anywhere; background: var(--paper); border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 6px; padding: .8rem; font-size: .9rem; max-height: 60vh; overflow: auto }
code { font-family: ui-monospace, monospace; font-size: .9em; white-space: nowrap }
.hint { border-left: 4px solid var(--accent); padding-left: .8rem; margin: 1rem 0 }
a { color: var(--accent) }
nav { display: flex; gap: 1.5rem; flex-wrap: wrap; margin: .25rem 0 1rem }
form { display: inline; margin-right: .75rem }
button { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .35rem .9rem; cursor: pointer }
button:hover { border-color: var(--accent) }
.orders { margin-top: 1.5rem }
iframe { flex: 1; min-height: 70vh; width: 100%; border: 1px solid var(--line); border-radius: 6px; background: var(--paper) }
`

/** The page of a replay: how far it is, what became of it, and then the report itself. */
export function replayPage (replay: Replay, address: string): string {
  const { state, method, url } = replay
  const body = state === 'done' ? finished(replay, address) : FINAL_STATES.has(state) ? failed(replay, address) : progress(replay, address)
  return page(`${titleOf(replay)}: ${method} ${url.slice(0, LONG_TITLE)}`, {
    refreshes: !FINAL_STATES.has(state),
    wide: replay.artefacts.includes(REPORT),
    body: `<h1>${titleOf(replay)}</h1><div class="request"><b>${escape(method)}</b>${escape(url)}</div>${body}`
  })
}

/** A page that only says something. */
export function errorPage (message: string): string {
  return page('No profile', { body: `<h1>No profile</h1><p>${escape(message)}</p>` })
}

/** Says why a request was not profiled, with a link that the admin can follow instead, if there can be one. */
export function elsewherePage (message: string, url: string | undefined): string {
  const way = url?.startsWith('/')
    ? `<p>If you want the profile, open it yourself:</p><div class="request"><a href="${escape(withinSite(url))}">${escape(url)}</a></div>
      <p class="soft">The request then runs once, in a worker. Don't, if you don't know who gave you the link.</p>`
    : '<p>If you want the profile, send it from a page of this site, or with curl.</p>'
  return page('Not profiled', { body: `<h1>Not profiled</h1><p>${escape(message)}</p>${way}` })
}

/** As a link that can't lead to another site: browsers take `//` and a backslash for the beginning of a host. */
function withinSite (url: string): string {
  const plain = url.replace(/[^\x21-\x7e]|\\/g, character => encodeURIComponent(character))
  return plain.startsWith('//') ? `/.${plain}` : plain
}

/** Stands in for a replay's page while the queue server can't be asked. */
export function awayPage (message: string): string {
  return page('The queue server is away', {
    refreshes: true,
    body: `<h1>The queue server is away</h1><pre>${escape(message)}</pre>
      <p class="soft">Only this page can't be shown now; the replay itself is not affected by that.</p>
      <p class="soft">This page tries again by itself.</p>`
  })
}

/** Why an artefact will never be there, for a terminal. */
export function goneText (replay: Replay): string {
  return `${replay.method} ${replay.url}: ${titleOf(replay)}. ${replay.error?.message ?? 'There is no such artefact.'}`
}

function titleOf ({ state, ran, artefacts, error, finishedAt }: Replay): string {
  if (state === 'lost' && (!ran || finishedAt !== undefined)) return 'The worker died'
  if (error?.code === 'GEORDI_REPLAY_CANCELLED') return 'Cancelled'
  if (state === 'failed' && artefacts.includes(REPORT)) return 'The replay broke off'
  return TITLES[state]
}

function progress (replay: Replay, address: string): string {
  const current = STEPS.findIndex(step => step.state === replay.state)
  const steps = STEPS.map(({ label }, index) => `<li class="${index < current ? 'past' : index === current ? 'now' : ''}">${label}</li>`)
  return `<ol>${steps.join('')}</ol>
    <p class="soft">${since(replay)}</p>
    ${needsWorker(replay) ? NO_WORKER : ''}
    ${snapshot(replay, address)}
    <p class="soft">This page follows by itself.</p>
    <div class="orders">${replay.state === 'running' ? button(`${address}/snapshot`, 'Show what it does now') : ''}${button(`${address}/cancel`, 'Cancel')}</div>`
}

/** Works without script. Parsers of plain text are what every Fastify app has, unless it has removed them. */
function button (address: string, text: string): string {
  return `<form method="post" action="${address}" enctype="text/plain"><button>${text}</button></form>`
}

function snapshot ({ artefacts, snapshotAt }: Replay, address: string): string {
  if (!artefacts.includes(SNAPSHOT) || snapshotAt === undefined) return ''
  return `<p><a href="${address}/${SNAPSHOT}">What it had done ${duration(Date.now() - snapshotAt)} ago</a></p>`
}

function needsWorker ({ state, queuedAt }: Replay): boolean {
  return state === 'queued' && Date.now() - queuedAt >= LONG_IN_QUEUE
}

function since ({ state, place, queuedAt, takenAt, startedAt, finishedAt, worker }: Replay): string {
  if (state === 'queued') return `Queued${place === undefined ? '' : ` at place ${place}`} for ${duration(Date.now() - queuedAt)}.`
  const where = worker === undefined ? '' : ` on ${escape(worker)}`
  if (startedAt !== undefined && finishedAt !== undefined) return `The replay took ${duration(finishedAt - startedAt)}${where}; its report is being drawn for ${duration(Date.now() - finishedAt)}.`
  if (startedAt !== undefined) return `Running for ${duration(Date.now() - startedAt)}${where}.`
  return `Taken by a worker${where}${takenAt === undefined ? '' : ` ${duration(Date.now() - takenAt)} ago`}.`
}

function finished (replay: Replay, address: string): string {
  const { statusCode, wallTime } = replay
  const answered = statusCode === undefined ? '' : `The app answered ${statusCode}${wallTime === undefined ? '' : ` after ${duration(wallTime)}`}.`
  return `<p class="soft">${answered} ${whichCode(replay)}</p>${artefacts(replay, address)}`
}

function failed (replay: Replay, address: string): string {
  const recorded = artefacts(replay, address)
  return `<pre>${escape(replay.error?.message ?? 'Nothing more is known.')}</pre>
    ${ranText(replay)}
    <p class="soft">${whichCode(replay)}</p>
    ${recorded !== '' ? `<p class="soft">What was recorded until then:</p>${recorded}` : replay.ran ? NOTHING_KEPT : ''}`
}

/** Where the app is deployed to one worker after the other, a replay can have run the code of before. */
function whichCode ({ app, loadedAt, worker }: Replay): string {
  if (loadedAt === undefined) return ''
  const time = `${new Date(loadedAt).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  return `Replayed by ${escape(worker ?? 'a worker')}, with the code ${app === undefined ? '' : `of ${escape(app)} `}as it was loaded at ${time}.`
}

/** What is lost has a message that says this as well. */
function ranText ({ state, ran }: Replay): string {
  if (state === 'lost') return ''
  return `<p class="soft">${ran ? 'The request was sent to the app, once. It is not run again.' : 'The request was not run.'}</p>`
}

/** Links to what there is, and the report itself. A failed replay has what was recorded until then. */
function artefacts ({ artefacts }: Replay, address: string): string {
  const links = [[REPORT, 'Open the PDF'], [RAW_PROFILE, 'Raw profile (.cpuprofile)'], [SNAPSHOT, 'The last snapshot']] as const
  const there = links.filter(([name]) => artefacts.includes(name)).map(([name, text]) => `<a href="${address}/${name}">${text}</a>`)
  if (there.length === 0) return ''
  const report = artefacts.includes(REPORT) ? `<iframe src="${address}/${REPORT}" title="Report"></iframe>` : ''
  return `<nav>${there.join('')}</nav>${report}`
}

function page (title: string, { body, refreshes = false, wide = false }: { body: string, refreshes?: boolean, wide?: boolean }): string {
  const refresh = refreshes ? `<meta http-equiv="refresh" content="${REFRESH}">` : ''
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}<title>${escape(title)}</title><style>${STYLE}</style></head>
<body><main${wide ? ' class="wide"' : ''}><p class="brand">geordi</p>${body}</main></body>
</html>`
}

/** Milliseconds in words. */
function duration (ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round(ms % 60_000 / 1000)} s`
}

function escape (text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
