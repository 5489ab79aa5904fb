import { html } from '../html.ts'
import type { FastifyReply } from 'fastify'
import type { User } from '../accounts.ts'
import type { Html } from '../html.ts'

/** Nothing from elsewhere, and no script at all: the demo's own pages need none. */
const contentSecurityPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

export interface Page { title: string, user: User | null, body: Html }

export function sendPage (reply: FastifyReply, page: Page): FastifyReply {
  return reply
    .header('content-security-policy', contentSecurityPolicy)
    .header('cache-control', 'no-store') // it says who is logged in
    .header('vary', 'accept, cookie')
    .type('text/html; charset=utf-8')
    .send(renderPage(page))
}

function renderPage ({ title, user, body }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Engineering</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header class="bar">
  <a class="brand" href="/">Engineering</a>
  <span class="filler"></span>
  ${user
    ? html`<span class="who">${user.name}${user.admin && html` <span class="badge">admin</span>`}</span>
      <form method="post" action="/logout"><button class="quiet">Log out</button></form>`
    : html`<a class="quiet" href="/login">Log in</a>`}
</header>
<main>
${body}
</main>
</body>
</html>
`.text
}

/** For an admin: the link that profiles a route instead of running it. Nothing for anybody else. */
export function profileLink (user: User | null, url: string): Html | false {
  return user?.admin === true && html`<a class="profile" href="${withFlag(url)}" title="Replay this request under the profiler">profile</a>`
}

/** The URL with geordi's parameter. */
export function withFlag (url: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}__geordi__`
}

export function formatTime (time: Date): Html {
  const iso = time.toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 10)} <span class="hour">${iso.slice(11, 16)}</span></time>`
}

// Made once: the first one loads the language's data, which takes a request 20 ms.
const numbers = new Intl.NumberFormat('en')

export const formatNumber = (value: number) => numbers.format(value)
