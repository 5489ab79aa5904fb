/** From a profile's file to a PDF, in a process that has done nothing before; tells its parent how long it took, and the most memory it had. */
import { readFileSync } from 'node:fs'
import { importCpuProfile } from '@geordi/profile'
import { renderReport } from '../src/index.ts'

const start = performance.now()
await renderReport(importCpuProfile(readFileSync(process.argv[2] as string)))
const time = performance.now() - start
process.send?.({ time, memory: process.resourceUsage().maxRSS * 1024 })
process.disconnect?.()
