import { fileURLToPath } from 'node:url'

const folders = [new URL('.', import.meta.url).href, new URL('.', import.meta.resolve('@geordi/waits/live')).href.replace(/live\/$/, '')]

/** Where this package and @geordi/waits are, as stacks tell it: their frames are nobody's. */
export const OWN_FOLDERS: readonly string[] = folders.flatMap(folder => [folder, fileURLToPath(folder)])
