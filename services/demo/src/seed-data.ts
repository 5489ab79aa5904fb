/** The vocabulary of the demo's data. */

export interface RepositorySeed { name: string, description: string, ship: string, language: 'TypeScript' | 'JavaScript' }

export const repositories: readonly RepositorySeed[] = [
  { name: 'warp-core', description: 'Matter/antimatter intermix, containment and the eject button', ship: 'USS Enterprise', language: 'TypeScript' },
  { name: 'lcars-ui', description: 'The panels. Rounded corners, orange, and a beep for every touch', ship: 'USS Enterprise', language: 'TypeScript' },
  { name: 'transporter', description: 'Pattern buffers, Heisenberg compensators, arrivals in one piece', ship: 'USS Enterprise', language: 'TypeScript' },
  { name: 'replicator-recipes', description: 'Tea, Earl Grey, hot; and 4,500 dishes that are not', ship: 'USS Enterprise', language: 'JavaScript' },
  { name: 'holodeck', description: 'Scenes, characters and safety protocols that stay on', ship: 'USS Enterprise', language: 'TypeScript' },
  { name: 'main-deflector', description: 'Reroute anything through it', ship: 'USS Voyager', language: 'TypeScript' },
  { name: 'universal-translator', description: 'Every known language, and metaphors at Tanagra', ship: 'Deep Space 9', language: 'JavaScript' },
  { name: 'astrometrics', description: 'Charts of what is within a lifetime of warp 9.975', ship: 'USS Voyager', language: 'TypeScript' },
  { name: 'visor-firmware', description: 'From 1 Hz to 100,000 THz, straight to the optic nerve', ship: 'USS Enterprise', language: 'TypeScript' },
  { name: 'promenade-permits', description: 'Stalls, bars and a tailor who asks no questions', ship: 'Deep Space 9', language: 'JavaScript' },
  { name: 'subspace-relay', description: 'Messages faster than light, delivered at least once', ship: 'Starbase 74', language: 'TypeScript' },
  { name: 'duty-roster', description: 'Who is on the bridge, who is on leave, who is in the brig', ship: 'Starbase 74', language: 'JavaScript' }
]

export const crew: readonly string[] = [
  'Geordi La Forge', 'Data', 'Wesley Crusher', 'Reginald Barclay', 'Miles O’Brien', 'B’Elanna Torres', 'Harry Kim',
  'Seven of Nine', 'Jadzia Dax', 'Nog', 'Sonya Gomez', 'Leah Brahms', 'Tom Paris', 'Montgomery Scott', 'Ro Laren'
]

export const parts: readonly string[] = [
  'plasma', 'injector', 'conduit', 'manifold', 'coil', 'buffer', 'dilithium', 'chamber', 'sensor', 'array', 'phase',
  'inverter', 'shield', 'emitter', 'nacelle', 'relay', 'matrix', 'tachyon', 'beam', 'field', 'coupling', 'stabilizer'
]

export const verbs: readonly string[] = [
  'align', 'purge', 'recalibrate', 'route', 'compensate', 'measure', 'balance', 'modulate', 'vent', 'isolate', 'scan', 'lock'
]

export const folders: readonly string[] = ['src', 'src/control', 'src/sensors', 'src/safety', 'test']

/** `{part}` and `{verb}` are filled in. */
export const messages: readonly string[] = [
  'Reverse the polarity of the {part} {part}',
  '{verb} the {part} before the {part}, not after it',
  'Fix a leak in the {part} {part}',
  'Handle a {part} that answers out of phase',
  'Raise the limit of the {part} {part} to 130 percent',
  'Remove the dead {part} code',
  'Test what happens when the {part} is missing',
  'Log the {part} only when it changes',
  '{verb} in batches: one {part} at a time took all night',
  'Document why the {part} <must> come first & stay there',
  'Revert “{verb} the {part} twice”: the captain noticed',
  'Let the {part} {part} fail in a controlled manner'
]
