import { html } from '../html.ts'
import { highlightSource } from '../work/highlight.ts'
import { repositoryUrl } from './home.ts'
import { formatNumber, formatTime, profileLink } from './layout.ts'
import type { User } from '../accounts.ts'
import type { Html } from '../html.ts'
import type { CommitRow, FileRow, FileSummary, RepositorySummary } from '../store.ts'
import type { Page } from './layout.ts'

export interface RepositoryView {
  repository: RepositorySummary
  commits: readonly CommitRow[]
  files: readonly FileSummary[]
  page: number
  pages: number
}

export function repositoryPage (user: User | null, { repository, commits, files, page, pages }: RepositoryView): Page {
  const url = repositoryUrl(repository)
  return {
    title: repository.name,
    user,
    body: html`<h1>${repository.name} ${profileLink(user, url)}</h1>
<p class="lead">${repository.description} · ${repository.language} · ${repository.ship}</p>
<div class="columns">
<section>
  <h2>Commits <span class="count">${formatNumber(repository.commits)}</span></h2>
  <ol class="card log">
  ${commits.map(commit => html`<li>
    <a href="${commitUrl(repository, commit)}">${commit.message}</a> ${profileLink(user, commitUrl(repository, commit))}
    <p class="facts"><code>${commit.id.slice(0, 8)}</code> ${commit.author} · ${formatTime(commit.committedAt)}</p>
  </li>`)}
  </ol>
  ${pages > 1 && html`<nav class="pager" aria-label="Pages of commits">
    ${page > 1 && html`<a rel="prev" href="${url}?page=${page - 1}">Newer</a>`}
    <span>Page ${page} of ${pages}</span>
    ${page < pages && html`<a rel="next" href="${url}?page=${page + 1}">Older</a>`}
  </nav>`}
</section>
<section>
  <h2>Files <span class="count">${formatNumber(files.length)}</span></h2>
  <ul class="card files">
  ${files.map(file => html`<li><a href="${fileUrl(repository, file.path)}">${file.path}</a> <span class="lines">${formatNumber(file.lines)} lines</span></li>`)}
  </ul>
</section>
</div>`
  }
}

export function commitPage (user: User | null, repository: RepositorySummary, commit: CommitRow): Page {
  return {
    title: commit.message,
    user,
    body: html`${crumb(repository)}
<article class="card">
  <h1>${commit.message} ${profileLink(user, commitUrl(repository, commit))}</h1>
  <p class="facts">${commit.author} · ${formatTime(commit.committedAt)}</p>
  <p class="facts"><code>${commit.id}</code></p>
  ${commit.paths.length > 0 && html`<h2>Changed files <span class="count">${commit.paths.length}</span></h2>
  <ul class="plain">${commit.paths.map(path => html`<li><a href="${fileUrl(repository, path)}">${path}</a></li>`)}</ul>`}
</article>`
  }
}

export function filePage (user: User | null, repository: RepositorySummary, file: FileRow): Page {
  return {
    title: file.path,
    user,
    body: html`${crumb(repository)}
<h1 class="path">${file.path} ${profileLink(user, fileUrl(repository, file.path))}</h1>
<pre class="card source"><code>${highlightSource(file.content)}</code></pre>`
  }
}

function crumb (repository: RepositorySummary): Html {
  return html`<p class="crumb"><a href="/">Repositories</a> / <a href="${repositoryUrl(repository)}">${repository.name}</a></p>`
}

function commitUrl (repository: RepositorySummary, commit: CommitRow): string {
  return `${repositoryUrl(repository)}/commits/${commit.id}`
}

function fileUrl (repository: RepositorySummary, path: string): string {
  return `${repositoryUrl(repository)}/files/${path.split('/').map(encodeURIComponent).join('/')}`
}
