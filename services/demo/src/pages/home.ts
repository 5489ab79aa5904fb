import { html } from '../html.ts'
import { exampleUrl } from '../slow/route.ts'
import { slowRoutes } from '../slow/table.ts'
import { formatNumber, formatTime, profileLink, withFlag } from './layout.ts'
import type { User } from '../accounts.ts'
import type { Html } from '../html.ts'
import type { SlowRoute } from '../slow/route.ts'
import type { RepositorySummary } from '../store.ts'
import type { Page } from './layout.ts'

export function homePage (user: User | null, repositories: readonly RepositorySummary[]): Page {
  const importUrl = '/slow/import'
  return {
    title: 'Repositories',
    user,
    body: html`<section>
  <h1>Repositories ${profileLink(user, '/')}</h1>
  <ul class="repositories">
  ${repositories.map(repository => html`<li class="card">
    <h2><a href="${repositoryUrl(repository)}">${repository.name}</a> ${profileLink(user, repositoryUrl(repository))}</h2>
    <p>${repository.description}</p>
    <p class="facts"><span class="dot ${repository.language.toLowerCase()}"></span>${repository.language} · ${repository.ship} ·
      ${formatNumber(repository.commits)} commits${repository.lastCommit && html`<br>Last commit ${formatTime(repository.lastCommit)}`}</p>
  </li>`)}
  </ul>
</section>
<section>
  <h1>Slow on purpose</h1>
  <p class="lead">Real work, no sleeps. Each answers with what it counted.</p>
  <table class="card routes">
  ${slowRoutes.map(route => routeRow(user, route))}
  <tr>
    <td><b>Rows to insert</b><br><code>POST ${importUrl}</code></td>
    <td><form method="post" action="${importUrl}" enctype="multipart/form-data" class="row">
      <input type="file" name="file" accept=".json,.csv" required aria-label="Commits as JSON or CSV">
      <button>Import</button>
      ${user?.admin === true && html`<button class="profile" formaction="${withFlag(importUrl)}">profile</button>`}
    </form>
    <span class="hint">Commits as JSON or CSV; here is <a href="/slow/import/sample.csv" download>a sample</a> of 500.</span></td>
    <td></td>
  </tr>
  </table>
</section>`
  }
}

function routeRow (user: User | null, route: SlowRoute): Html {
  const url = exampleUrl(route)
  return html`<tr>
    <td><b>${route.title}</b><br><code>GET <a href="${url}">${url}</a></code></td>
    <td>${route.what}${Object.entries(route.parameters).map(([name, parameter]) => html`<br><span class="hint"><code>${name}</code> ${describeParameter(parameter)}</span>`)}</td>
    <td>${profileLink(user, url)}</td></tr>`
}

function describeParameter (parameter: SlowRoute['parameters'][string]): Html {
  return parameter.type === 'integer'
    ? html`${formatNumber(parameter.minimum)} to ${formatNumber(parameter.maximum)} ${parameter.description}`
    : html`${parameter.description} of at most ${formatNumber(parameter.maxLength)} characters, <code>${parameter.default}</code> unless given`
}

export function repositoryUrl (repository: Pick<RepositorySummary, 'name'>): string {
  return `/repositories/${encodeURIComponent(repository.name)}`
}
