import { html } from '../html.ts'
import type { User } from '../accounts.ts'
import type { Page } from './layout.ts'

export function loginPage (user: User | null, problem: string | null): Page {
  return {
    title: 'Log in',
    user,
    body: html`<section class="card narrow">
  <h1>Log in</h1>
  ${problem !== null && html`<p class="problem" role="alert">${problem}</p>`}
  <form method="post" action="/login" class="stack">
    <label>User name <input name="username" autocomplete="username" required autofocus></label>
    <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
    <button>Log in</button>
  </form>
  <p class="hint"><b>picard</b> / <b>engage</b> is an admin and may profile requests; <b>wesley</b> / <b>shutup</b> is not.</p>
</section>`
  }
}
