import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOfMany, isOfOne, reads, verbOf } from '../src/findings/statements.ts'

test('statements that are nothing but white space, or one word, take no time: a recording may come from anybody', () => {
  const start = process.cpuUsage()
  for (const statement of [' '.repeat(200_000), `${' '.repeat(200_000)}!`, '('.repeat(200_000)]) {
    assert.equal(reads({ kind: 'sql', statement }), false)
    assert.equal(verbOf(statement), 'read')
  }
  for (const part of ['where ', '= ', '< ', 'in (', 'values (', 'any ']) {
    const statement = `select ${part.repeat(50_000)}`
    assert.equal(isOfMany({ kind: 'sql', statement }), false)
    assert.equal(isOfOne({ kind: 'sql', statement }), false)
  }
  assert.ok(process.cpuUsage(start).user < 2_000_000)
})

test('a statement in parentheses is what is in them', () => {
  assert.equal(reads({ kind: 'sql', statement: ' ( (select 1)' }), true)
  assert.equal(verbOf('(\n update t set a = 1'), 'change')
})
