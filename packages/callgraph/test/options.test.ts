import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildCallGraph, CallGraphError, DEFAULTS, type CallGraphOptions } from '../src/index.ts'
import { profileOf } from './profile-builder.ts'

const profile = profileOf([['a>b', 1]])

test('the options in use are the defaults and what was given, frozen', () => {
  const given: CallGraphOptions = { maxNodes: 3, nodeFraction: 0 }
  const { options } = buildCallGraph(profile, given)
  assert.deepEqual(options, { ...DEFAULTS, time: 'cpu', maxNodes: 3, nodeFraction: 0 })
  assert.ok(Object.isFrozen(options) && Object.isFrozen(DEFAULTS))
  assert.deepEqual(given, { maxNodes: 3, nodeFraction: 0 })
})

test('undefined stands for the default', () => {
  const options = { maxNodes: undefined } as unknown as CallGraphOptions
  assert.deepEqual(buildCallGraph(profile, options).options, { ...DEFAULTS, time: 'cpu' })
})

for (const [name, values] of Object.entries({
  time: ['CPU', 'wait', 1, null],
  maxNodes: [0, -1, 1.5, NaN, Infinity, '80', null],
  nodeFraction: [-0.1, 1.1, NaN, '0', null],
  edgeFraction: [-0.1, 1.1, NaN],
  edgesPerNode: [0.5, 101, NaN],
  maxnodes: [80],
  toString: [80]
})) {
  for (const value of values) {
    test(`${name}: ${String(value)} (${typeof value}) is refused by name`, () => {
      assert.throws(() => buildCallGraph(profile, { [name]: value } as CallGraphOptions), (error: unknown) => {
        assert.ok(error instanceof CallGraphError)
        assert.equal(error.code, 'GEORDI_CALLGRAPH_BAD_OPTION')
        assert.ok(error.message.includes(`"${name}"`), error.message)
        return true
      })
    })
  }
}
