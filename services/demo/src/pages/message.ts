import { html } from '../html.ts'
import type { User } from '../accounts.ts'
import type { Page } from './layout.ts'

/** A page that says one thing: what went wrong, or what a slow route has done. */
export function messagePage (user: User | null, title: string, text: string): Page {
  return {
    title,
    user,
    body: html`<section class="card narrow"><h1>${title}</h1><p>${text}</p><p><a href="/">Back to the repositories</a></p></section>`
  }
}
