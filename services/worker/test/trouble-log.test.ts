import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ReplayError } from '@geordi/replay'
import { indented } from '../src/command-line.ts'
import { TroubleLog } from '../src/trouble-log.ts'

describe('trouble with the queue', () => {
  it('is told once, in a line a minute while it lasts, and when it is over', t => {
    t.mock.timers.enable({ apis: ['Date'] })
    const lines: string[] = []
    const trouble = new TroubleLog(line => lines.push(line))
    const away = new ReplayError('GEORDI_QUEUE_UNAVAILABLE', 'No server.')
    const absence = (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        trouble.error(away)
        t.mock.timers.tick(1000)
      }
    }
    absence(130)
    assert.deepEqual(lines, [
      'GEORDI_QUEUE_UNAVAILABLE: No server. The worker waits for it.',
      'The queue server is still away (61 attempts).',
      'The queue server is still away (121 attempts).'
    ])
    trouble.back()
    absence(2)
    assert.deepEqual(lines.slice(3), ['The queue server is back.', 'GEORDI_QUEUE_UNAVAILABLE: No server. The worker waits for it.'])
  })

  it('of any other kind is told each time', () => {
    const lines: string[] = []
    const trouble = new TroubleLog(line => lines.push(line))
    for (const id of ['a', 'b']) trouble.error(new ReplayError('GEORDI_REPLAY_CLAIMED', `${id} was started before`))
    trouble.error(new TypeError('odd'))
    assert.deepEqual(lines, ['GEORDI_REPLAY_CLAIMED: a was started before', 'GEORDI_REPLAY_CLAIMED: b was started before', 'TypeError: odd'])
  })
})

describe('an entry of the log', () => {
  it('has no line that looks like another entry, nor moves the cursor, nor turns letters round', () => {
    assert.equal(indented('GET /\x9b2J: no\r\ngeordi worker: forged\n\u202eesrever\x1b[2K\ta\ud800'), 'GET /\ufffd2J: no\n  geordi worker: forged\n  \ufffdesrever\ufffd[2K\ta\ufffd')
    assert.equal(indented('Müller 👩‍👩‍👧 שלום'), 'Müller 👩‍👩‍👧 שלום')
  })
})
