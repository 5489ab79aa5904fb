import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backendFor, unavailable } from '../src/backend.ts'

describe('a queue\'s name', () => {
  for (const name of ['geordi', 'order', 'user', 'a', 'shop_2', 'a'.repeat(40)]) {
    it(`can be ${name}`, () => {
      assert.equal(backendFor({ url: 'postgres://localhost', name }), 'postgres')
    })
  }

  for (const name of ['', 'A', '2shop', 'a-b', 'a b', 'a"b', 'a'.repeat(41), 'public', 'pg_temp', 'information_schema']) {
    it(`can't be ${JSON.stringify(name)}`, () => {
      assert.throws(() => backendFor({ url: 'redis://localhost', name }), { code: 'GEORDI_OPTION_INVALID', message: /`queue\.name`/ })
    })
  }
})

describe('trouble with a queue server', () => {
  const refusals = [
    Object.assign(new Error('OOM command not allowed when used memory > \'maxmemory\'.'), { name: 'ReplyError' }),
    Object.assign(new Error('permission denied for schema order'), { code: '42501' })
  ]
  for (const error of refusals) {
    it(`is the server's own: ${error.message}`, () => {
      assert.match(unavailable(error).message, /^The queue server refuses \(/)
    })
  }

  const absences = [
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }),
    Object.assign(new Error('LOADING Redis is loading the dataset in memory'), { name: 'ReplyError' }),
    Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' }),
    new Error('no answer within 800 ms')
  ]
  for (const error of absences) {
    it(`is its absence: ${error.message}`, () => {
      assert.match(unavailable(error).message, /can't be reached \(/)
    })
  }
})
