import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstWord } from '../src/first-word.ts'

test('a command is told without what is set for it, or not at all', () => {
  const words = {
    'sleep 1': 'sleep',
    '  /bin/ls;true': '/bin/ls',
    'TOKEN=hidden psql -c hidden': 'psql',
    'TOKEN=\'hid den\' NAME="hid den" EMPTY= psql': 'psql',
    'TOKEN=hidden': '',
    'TOKEN=hid\\ den psql': '',
    'TOKEN=$(echo hidden) psql': '',
    'TOKEN=\'hid\'den psql': '',
    'TOKEN=hidden;psql': ''
  }
  for (const [line, word] of Object.entries(words)) assert.equal(firstWord(line), word, line)
})

test('a line of whatever kind takes no time', () => {
  const start = process.cpuUsage()
  for (const line of ['A=b '.repeat(50_000) + '=', 'A='.repeat(100_000), ' '.repeat(200_000), `${'A=\'x\' '.repeat(30_000)}'`, `${'a'.repeat(200_000)}=`]) assert.ok(firstWord(line).length < 2)
  assert.ok(process.cpuUsage(start).user < 2_000_000)
})
