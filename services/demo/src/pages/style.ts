/** The demo's only style sheet, served as /style.css. */
export const styleSheet = `
:root {
  color-scheme: dark;
  --ground: #0e1116; --card: #171b22; --line: #2a303a; --text: #e3e6eb; --soft: #9aa4b2;
  --amber: #ffb454; --lilac: #c7a6ff; --blue: #8cb8ff; --red: #ff8f8f; --green: #9fd8a4;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
a { color: var(--blue); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--amber); outline-offset: 2px; }
code, pre, .files a, .path { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; font-size: .92em; }
main { max-width: 1120px; margin: 0 auto; padding: 8px 24px 64px; }

.bar { display: flex; align-items: center; gap: 10px; max-width: 1120px; margin: 0 auto; padding: 16px 24px; }
.bar .brand { background: var(--amber); color: #221503; font-weight: 700; letter-spacing: .02em; padding: 0 20px; line-height: 34px; border-radius: 17px 4px 4px 17px; }
.bar .filler { flex: 1; height: 34px; background: linear-gradient(90deg, var(--lilac) 0 22%, transparent 22% 22.6%, #6f7fb8 22.6% 60%, transparent 60% 60.6%, #39415a 60.6%); }
.bar .who { color: var(--soft); }
.bar form { margin: 0; }
.badge { background: #3a2a10; color: var(--amber); border-radius: 9px; padding: 1px 8px; font-size: .8em; }

h1 { font-size: 1.35rem; margin: 28px 0 14px; line-height: 1.3; }
h1.path { font-size: 1.15rem; }
h2 { font-size: 1.02rem; margin: 0 0 8px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; }
.card > h1:first-child { margin-top: 0; }
.narrow { max-width: 440px; margin: 40px auto; }
.lead, .facts, .hint, .count, .crumb, .lines { color: var(--soft); }
.lead { margin: -8px 0 22px; }
.crumb { margin: 24px 0 12px; }
.facts { margin: 4px 0 0; font-size: .88em; }
.hint { font-size: .88em; }
.count { font-weight: 400; font-size: .88em; margin-left: 4px; }
.hour { opacity: .75; }

ul, ol { list-style: none; margin: 0; padding: 0; }
.repositories { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 14px; }
.repositories .card { display: flex; flex-direction: column; }
.repositories p { margin: 0; }
.repositories .facts { margin-top: auto; padding-top: 10px; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 6px; background: var(--blue); }
.dot.javascript { background: var(--amber); }

table { border-collapse: collapse; width: 100%; }
.routes { border-collapse: separate; border-spacing: 0; padding: 4px 18px; }
.routes td { padding: 12px 18px 12px 0; vertical-align: top; }
.routes td:first-child { white-space: nowrap; }
.routes tr + tr td { border-top: 1px solid var(--line); }
.routes td:last-child { padding-right: 0; text-align: right; }
.row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 0 0 6px; }

.columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 24px; align-items: start; }
.log, .files { padding: 4px 18px; }
.log li { padding: 10px 0; }
.files li { padding: 7px 0; display: flex; gap: 12px; }
.files a { flex: 1; overflow-wrap: anywhere; }
.lines { white-space: nowrap; font-size: .85em; }
.log li + li, .files li + li { border-top: 1px solid var(--line); }
.pager { display: flex; gap: 16px; justify-content: center; padding: 14px; color: var(--soft); }
article h2 { margin-top: 18px; }

.source { margin: 0; padding: 16px 18px; overflow-x: auto; line-height: 1.55; }
.source .comment { color: var(--soft); font-style: italic; }
.source .string { color: var(--green); }
.source .number { color: var(--amber); }
.source .keyword { color: var(--lilac); }

button, .quiet { font: inherit; cursor: pointer; border-radius: 8px; padding: 5px 14px; border: 1px solid var(--amber); background: var(--amber); color: #221503; font-weight: 600; }
.quiet { background: none; border-color: var(--line); color: var(--text); font-weight: 400; }
.quiet:hover { border-color: var(--soft); text-decoration: none; }
.profile { display: inline-block; font: 600 .72rem/1.5 system-ui, "DejaVu Sans", sans-serif; vertical-align: .12em; border: 1px solid #6b4f1d; background: none; color: var(--amber); border-radius: 9px; padding: 0 9px; white-space: nowrap; }
button.profile { padding: 6px 12px; vertical-align: baseline; }
.profile:hover { background: #3a2a10; text-decoration: none; }
input { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--line); border-radius: 8px; padding: 7px 10px; }
input[type=file] { padding: 4px; }
.stack { display: grid; gap: 14px; }
.stack label { display: grid; gap: 4px; color: var(--soft); }
.problem { color: var(--red); }

@media (max-width: 760px) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .bar .filler { visibility: hidden; }
  .repositories { grid-template-columns: minmax(0, 1fr); }
  .routes, .routes tbody, .routes tr, .routes td { display: block; }
  .routes td { padding: 6px 0; }
  .routes td:first-child { white-space: normal; overflow-wrap: anywhere; }
  .routes tr + tr td { border: 0; }
  .routes tr + tr { border-top: 1px solid var(--line); }
  .routes td:last-child { text-align: left; }
}
`
