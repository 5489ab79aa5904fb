import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeRequest } from '../src/compose-request.ts'

test('credentials in the query are sent, and not shown', async () => {
  const { url, shownUrl } = await composeRequest({ method: undefined, url: 'http://a.example/reset?token=hidden&page=2', headers: [], data: undefined })
  assert.equal(url, '/reset?token=hidden&page=2')
  assert.ok(!shownUrl!.includes('hidden') && shownUrl!.endsWith('&page=2'), shownUrl)
})
