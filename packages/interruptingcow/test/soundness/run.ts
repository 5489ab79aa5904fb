import { runShape } from './one.ts'
import { BODIES, PLACES, UNSOUND } from './shapes.ts'

/*
 * The table of shapes: each interrupted 1,000 times (or as often as SOUNDNESS_RUNS says), followed by normal work.
 * Exits with 1 where one that should be sound is not. Arguments choose shapes by a part of their names.
 */
const repetitions = Number(process.env.SOUNDNESS_RUNS ?? 1000)
const wanted = process.argv.slice(2)
const chosen = (name: string) => wanted.length === 0 || wanted.some(part => name.includes(part))

let unsound = 0
for (const [kind, shapes, expected] of [['place', PLACES, true], ['body', BODIES, true], ['unsound body', UNSOUND, false]] as const) {
  for (const name of Object.keys(shapes).filter(chosen)) {
    const { sound, took, said } = await runShape(name, repetitions, { timeLimit: expected ? 120_000 : 20_000 })
    if (expected && !sound) unsound++
    console.log(`${process.version} ${kind}: ${name}: ${sound ? 'sound' : 'UNSOUND'}, ${(took / 1000).toFixed(1)} s`)
    if (!sound) console.log(said.slice(0, 600).replace(/^/gm, '    '))
  }
}
console.log(`${process.version}: ${unsound} shapes that should be sound are not, ${repetitions} interruptions each`)
process.exitCode = unsound > 0 ? 1 : 0
