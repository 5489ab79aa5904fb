import { html } from '../html.ts'
import { formatNumber, formatTime, profileLink, withFlag } from './layout.ts'
import type { User } from '../accounts.ts'
import type { RepositorySummary } from '../store.ts'
import type { Page } from './layout.ts'

const slowRoutes = [
  { url: '/slow/cpu?ms=500', what: 'Blame and highlight source files until 500 ms of CPU time are used' },
  { url: '/slow/queries?n=200', what: 'Count the authors of 200 commits, one query each' }
]

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
  <table class="card routes">
  ${slowRoutes.map(({ url, what }) => html`<tr>
    <td><code>GET <a href="${url}">${url}</a></code></td><td>${what}</td><td>${profileLink(user, url)}</td></tr>`)}
  <tr>
    <td><code>POST ${importUrl}</code></td>
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

export function repositoryUrl (repository: Pick<RepositorySummary, 'name'>): string {
  return `/repositories/${encodeURIComponent(repository.name)}`
}
