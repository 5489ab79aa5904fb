// Formats of other tools. A room of its own: who only reads profiles loads no encoder.
export { exportCollapsed } from './collapsed.ts'
export { exportPprof } from './pprof.ts'
export {
  exportSpeedscope, type SpeedscopeEvents, type SpeedscopeFile, type SpeedscopeFrame, type SpeedscopeProfile, type SpeedscopeStacks
} from './speedscope.ts'
