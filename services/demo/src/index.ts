export { buildApp } from './app.ts'
export { readListenSettings, readSettings, SettingsError } from './settings.ts'
export type { AppSettings, ListenSettings } from './settings.ts'
