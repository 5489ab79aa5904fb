import type { Run } from '@geordi/profile'

/** What to call the whole run. */
export function titleOf ({ request, title }: Run): string {
  if (request !== undefined) return `${request.method} ${request.url}`
  return title ?? 'CPU profile'
}
