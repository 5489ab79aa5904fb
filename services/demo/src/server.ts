/** The server's entry: `node server.js`. The worker replays requests in this very file, unchanged. */
import { buildApp } from './app.ts'
import { readListenSettings, readSettings, SettingsError } from './settings.ts'

try {
  const app = await buildApp(readSettings(process.env))
  const address = await app.listen(readListenSettings(process.env))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { app.close() })
  app.log.info(`the demo listens at ${address}`)
} catch (error) {
  console.error(error instanceof SettingsError ? `demo: ${error.message}` : error)
  process.exitCode = 1
}
