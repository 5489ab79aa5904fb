import neostandard from 'neostandard'

/**
 * The house of Geordi: which room may import which. The web process must never load the profiler,
 * Graphviz or PDFKit, so the table is a lint rule and not only a habit.
 */
const mayImport = {
  'packages/profile': [],
  'packages/callgraph': ['profile'],
  'packages/report': ['profile', 'callgraph'],
  'packages/waits': ['profile'],
  'packages/profiler': ['profile', 'waits'],
  'packages/replay': ['profile'],
  'packages/fastify': ['profile', 'replay'],
  'packages/dogslow': ['profile', 'waits'],
  'packages/interruptingcow': [],
  'services/worker': ['profile', 'callgraph', 'profiler', 'report', 'replay'],
  'services/demo': ['fastify', 'dogslow', 'worker', 'replay']
}

const walls = Object.entries(mayImport).map(([room, allowed]) => ({
  files: [`${room}/src/**/*.ts`],
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [{
        regex: `^@geordi/(?!(?:${['-', ...allowed].join('|')})(?:/|$))`,
        message: `${room} may import only: ${allowed.map(name => `@geordi/${name}`).join(', ') || 'nothing of ours'}.`
      }]
    }]
  }
}))

export default [
  ...neostandard({ ts: true, ignores: ['**/dist/**', '**/fixtures/**'] }),
  ...walls
]
