import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withoutCredentials } from '../src/credentials.ts'
import { get } from './support.ts'

const request = get('/work?id=enterprise&token=se%2Fsame+open&next=%2F%3Fkey%3Dabcdefg;pin=1234', {
  shownUrl: '/work?id=enterprise&token=***&next=***;pin=***',
  rawHeaders: ['Host', 'enterprise.example', 'Cookie', 'theme=d; sid=tribble', 'authorization', 'Bearer tricorder', 'X-Api-Key', 'phaser', 'x-monkey', 'banana', 'cookie', 'tribbles=tribble-and-more']
})

describe('what an app has said', () => {
  for (const [said, shown] of [
    ['GET /work?id=enterprise&token=se%2Fsame+open&next=%2F%3Fkey%3Dabcdefg;pin=1234', 'GET /work?id=enterprise&token=***&next=***;pin=***'],
    ['token se/same open', 'token ***'],
    ['{"cookie":"theme=d; sid=tribble"}', '{"cookie":"***"}'],
    ['sid is tribble', 'sid is ***'],
    ['tribble-and-more', '***'],
    ['Bearer tricorder, tricorder, phaser', '***, ***, ***'],
    ['enterprise, banana, d', 'enterprise, banana, d']
  ] as const) {
    it(`has no credentials of its request: ${said}`, () => assert.equal(withoutCredentials(said, request), shown))
  }

  it('stays as it is where there are none', () => {
    assert.equal(withoutCredentials('/work?pin=12345', get('/work?pin=12345')), '/work?pin=12345')
  })
})
