import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runShape } from './soundness/one.ts'
import { BODIES, PLACES } from './soundness/shapes.ts'

/** How often each shape is interrupted here. `npm run soundness` does it 1,000 times and prints the table. */
const REPETITIONS = 10

describe('a process that was interrupted goes on as ever', { concurrency: 2 }, () => {
  for (const [relation, shapes] of [['', PLACES], ['in the middle of: ', BODIES]] as const) {
    for (const name of Object.keys(shapes)) {
      it(`${relation}${name}`, async () => {
        const { sound, said } = await runShape(name, REPETITIONS)
        assert.ok(sound, said)
      })
    }
  }

  for (const name of ['in a promise continuation', 'three scopes deep', 'around boxes that are interrupted']) {
    it(`with async hooks enabled: ${name}`, async () => {
      const { sound, said } = await runShape(name, REPETITIONS, { hooks: true })
      assert.ok(sound, said)
    })
  }
})
