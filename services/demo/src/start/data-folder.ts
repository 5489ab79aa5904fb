import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const repositoryRoot = fileURLToPath(new URL('../../../../../', import.meta.url))

/** What `npm start` makes up where the environment doesn't give it. */
export interface Secrets { geordi: string, session: string }

/** `GEORDI_DATA`, else `.geordi/` in the repository: what `npm start` keeps between two runs. Made if missing. */
export function openDataFolder (chosen: string | undefined): string {
  const folder = chosen ? resolve(chosen) : join(repositoryRoot, '.geordi')
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * A folder for this repository under the OS's temporary one: for root, whose own folders PostgreSQL's account can't
 * enter.
 *
 * @throws when somebody else has put something under that name
 */
export function openTemporaryDataFolder (): string {
  const folder = join(tmpdir(), `geordi-data-${createHash('sha256').update(repositoryRoot).digest('hex').slice(0, 12)}`)
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  const found = lstatSync(folder)
  // The name can be guessed, and everybody may write to /tmp: it must be a real folder of ours.
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${folder} belongs to somebody else. Set GEORDI_DATA to another folder.`)
  chmodSync(folder, 0o711)
  return folder
}

/** The secrets of the folder, made at the first start: sessions and queued requests survive a restart. */
export function readSecrets (folder: string): Secrets {
  const file = join(folder, 'secrets.json')
  try {
    const { geordi, session } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>
    if (geordi && session) return { geordi, session }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error
  }
  const secrets = { geordi: randomBytes(32).toString('base64url'), session: randomBytes(32).toString('base64url') }
  writeFileSync(file, JSON.stringify(secrets) + '\n', { mode: 0o600 })
  return secrets
}
