/** HTML that may go out as it is. Only {@link html} makes it, so what isn't one gets escaped. */
export class Html {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }

  toString (): string {
    return this.text
  }
}

type Value = Html | string | number | null | undefined | false | readonly Value[]

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it may stand in HTML, between tags or in a quoted attribute. */
export function escapeHtml (text: string): string {
  return text.replace(/[&<>"']/g, character => entities[character] as string)
}

function render (value: Value): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return escapeHtml(String(value))
}

/** A template whose values are escaped, unless they are {@link Html}; lists are joined, null, undefined and false vanish. */
export function html (parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.reduce((text, part, index) => text + render(values[index - 1]) + part))
}
