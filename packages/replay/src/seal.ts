import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { ReplayError } from './errors.ts'

/** Encrypts and authenticates what goes through the queue server, so that reading it shows nothing and
 * writing it achieves nothing. */
export interface Sealer {
  /** Seals bytes for one replay and one purpose; opened under another id or purpose, they don't open. */
  seal (id: string, purpose: string, bytes: Uint8Array): Buffer
  /** @throws ReplayError `GEORDI_SEAL_BROKEN` */
  open (id: string, purpose: string, sealed: Uint8Array): Buffer
  /**
   * The same, but sealing with the secret that this was sealed with: while secrets are rotated, who asked can open the answer.
   * @throws ReplayError `GEORDI_SEAL_BROKEN`
   */
  answering (id: string, purpose: string, sealed: Uint8Array): Sealer
  /** The same text for the same text, from which nobody without the secret can tell it. */
  pseudonym (text: string): string
}

/** Shortest secret taken: 32 characters, 128 bits even if they are hexadecimal digits. */
const SECRET_MIN_LENGTH = 32
const VERSION = 1
const NONCE_LENGTH = 12
const TAG_LENGTH = 16
/** Of 6 bits each: 132, so that no two texts meet. */
const PSEUDONYM_LENGTH = 22
const HEAD_LENGTH = 1 + NONCE_LENGTH + TAG_LENGTH

/**
 * AES-256-GCM under a key derived with HKDF-SHA-256.
 * @param secrets One secret, or several for rotation: the first seals, all of them open.
 * @throws ReplayError `GEORDI_OPTION_INVALID` when a secret is shorter than 32 characters.
 */
export function createSealer (secrets: string | readonly string[]): Sealer {
  const list = typeof secrets === 'string' ? [secrets] : secrets
  if (!Array.isArray(list) || list.length === 0 || list.some(secret => typeof secret !== 'string' || secret.length < SECRET_MIN_LENGTH)) {
    throw new ReplayError('GEORDI_OPTION_INVALID',
      `Option \`secret\` must be a string of at least ${SECRET_MIN_LENGTH} characters (or a list of them), the same for the web process and the worker. Make one with: openssl rand -hex 32`)
  }
  const derive = (secret: string, use: string) => Buffer.from(hkdfSync('sha256', secret, '', `geordi ${use} v1`, 32))
  const keys = list.map(secret => derive(secret, 'seal'))
  return sealerOf({ keys, sealing: keys[0]!, pseudonymKey: derive(list[0]!, 'pseudonym') })
}

interface Keys {
  /** All that open. */
  readonly keys: readonly Buffer[]
  readonly sealing: Buffer
  readonly pseudonymKey: Buffer
}

function sealerOf ({ keys, sealing, pseudonymKey }: Keys): Sealer {
  const opened = (id: string, purpose: string, sealed: Uint8Array): { key: Buffer, bytes: Buffer } => {
    if (sealed.length >= HEAD_LENGTH && sealed[0] === VERSION) {
      for (const key of keys) {
        const bytes = tryKey(key, id, purpose, sealed)
        if (bytes !== null) return { key, bytes }
      }
    }
    throw new ReplayError('GEORDI_SEAL_BROKEN',
      'What the queue server holds for this replay does not open: it was altered, or sealed with another secret. Give the web process and the worker the same `secret`.')
  }

  return {
    seal (id, purpose, bytes) {
      const nonce = randomBytes(NONCE_LENGTH)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce)
      cipher.setAAD(associatedData(id, purpose))
      const text = [cipher.update(bytes), cipher.final()]
      return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), ...text])
    },

    open: (id, purpose, sealed) => opened(id, purpose, sealed).bytes,

    answering: (id, purpose, sealed) => sealerOf({ keys, sealing: opened(id, purpose, sealed).key, pseudonymKey }),

    pseudonym (text) {
      return createHmac('sha256', pseudonymKey).update(text).digest('base64url').slice(0, PSEUDONYM_LENGTH)
    }
  }
}

function tryKey (key: Buffer, id: string, purpose: string, sealed: Uint8Array): Buffer | null {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_LENGTH), { authTagLength: TAG_LENGTH })
  decipher.setAAD(associatedData(id, purpose))
  decipher.setAuthTag(sealed.subarray(1 + NONCE_LENGTH, HEAD_LENGTH))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEAD_LENGTH)), decipher.final()])
  } catch {
    return null
  }
}

/** JSON keeps `('a', 'b:c')` apart from `('a:b', 'c')`. */
function associatedData (id: string, purpose: string): Buffer {
  return Buffer.from(JSON.stringify(['geordi', id, purpose]))
}
