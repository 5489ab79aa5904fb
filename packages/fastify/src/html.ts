import { FINAL_STATES, RAW_PROFILE, REPORT, type Replay, type ReplayState } from '@geordi/replay'

/** Seconds until a page of a replay under way loads itself again: no script, so it works under any policy. */
const REFRESH = 1

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
.request { font-family: ui-monospace, monospace; overflow-wrap: anywhere; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; margin: 1rem 0 }
.request b { margin-right: .6em }
ol { list-style: none; display: flex; gap: .5rem; padding: 0; margin: 1.75rem 0 }
li { flex: 1; border-top: 4px solid var(--line); padding-top: .5rem; color: var(--soft); font-size: .9rem }
li.past { border-color: var(--ok); color: var(--ink) }
li.now { border-color: var(--accent); color: var(--ink); font-weight: 600 }
p.soft { color: var(--soft); margin: .25rem 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--paper); border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 6px; padding: .8rem; font-size: .9rem; max-height: 60vh; overflow: auto }
a { color: var(--accent) }
nav { display: flex; gap: 1.5rem; flex-wrap: wrap; margin: .25rem 0 1rem }
iframe { flex: 1; min-height: 70vh; width: 100%; border: 1px solid var(--line); border-radius: 6px; background: var(--paper) }
`

/** The page of a replay: how far it is, what became of it, and then the report itself. */
export function replayPage (replay: Replay, address: string): string {
  const { state } = replay
  const done = state === 'done'
  const head = FINAL_STATES.has(state) ? '' : `<meta http-equiv="refresh" content="${REFRESH}">`
  const body = done ? finished(replay, address) : state === 'failed' || state === 'lost' ? failed(replay, address) : progress(replay)
  return page(`${TITLES[state]}: ${replay.method} ${replay.url}`, head, done, `
    <p class="brand">geordi</p>
    <h1>${TITLES[state]}</h1>
    <div class="request"><b>${escape(replay.method)}</b>${escape(replay.url)}</div>
    ${body}`)
}

/** A page that only says something. */
export function errorPage (message: string): string {
  return page('geordi', '', false, `<p class="brand">geordi</p><h1>No profile</h1><p>${escape(message)}</p>`)
}

/** Why an artefact will never be there, for a terminal. */
export function goneText (replay: Replay): string {
  return `${TITLES[replay.state]} of ${replay.method} ${replay.url}. ${replay.error?.message ?? 'There is no such artefact.'}`
}

function progress (replay: Replay): string {
  const current = STEPS.findIndex(step => step.state === replay.state)
  const steps = STEPS.map(({ label }, index) => `<li class="${index < current ? 'past' : index === current ? 'now' : ''}">${label}</li>`)
  return `<ol>${steps.join('')}</ol>
    <p class="soft">${since(replay)}</p>
    <p class="soft">This page follows by itself. There is no time limit.</p>`
}

function since ({ state, queuedAt, startedAt, worker }: Replay): string {
  if (state === 'queued') return `In the queue for ${duration(Date.now() - queuedAt)}.`
  const where = worker === undefined ? '' : ` on ${escape(worker)}`
  return startedAt === undefined ? `Taken by a worker${where}.` : `Running for ${duration(Date.now() - startedAt)}${where}.`
}

function finished (replay: Replay, address: string): string {
  const status = replay.statusCode === undefined ? '' : `The app answered ${replay.statusCode}`
  const time = replay.wallTime === undefined ? '' : ` after ${duration(replay.wallTime)}`
  return `<p class="soft">${status}${time}.</p>
    <nav><a href="${address}/${REPORT}">Open the PDF</a><a href="${address}/${RAW_PROFILE}">Raw profile (.cpuprofile)</a></nav>
    <iframe src="${address}/${REPORT}" title="Report"></iframe>`
}

function failed (replay: Replay, address: string): string {
  const raw = replay.artefacts.includes(RAW_PROFILE) ? `<nav><a href="${address}/${RAW_PROFILE}">Raw profile (.cpuprofile)</a></nav>` : ''
  const ran = replay.ran ? 'The request was sent to the app; it is not run again.' : 'The request did not run.'
  return `<pre>${escape(replay.error?.message ?? 'Nothing more is known.')}</pre><p class="soft">${ran}</p>${raw}`
}

function page (title: string, head: string, wide: boolean, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${head}<title>${escape(title)}</title><style>${STYLE}</style></head>
<body><main${wide ? ' class="wide"' : ''}>${body}</main></body>
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
