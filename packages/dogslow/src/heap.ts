import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'

/**
 * V8's limit is that of old and young objects together; a heap is full when the old ones have filled their part. The young ones' is three semi-spaces,
 * of 16 MiB up to Node 22, and of 64 since. (Who sets another by `--max-semi-space-size` is told later.)
 */
const YOUNG = (Number(process.versions.node.split('.', 1)[0]) < 24 ? 48 : 192) * 2 ** 20
const YOUNG_SPACES = ['new_space', 'new_large_object_space']

/** Bytes of old objects at which V8 ends the process. */
export const HEAP_LIMIT = getHeapStatistics().heap_size_limit - YOUNG

/** V8 lets garbage lie about until there is need, so that a smaller share of the limit says little. */
const NEARLY_FULL = 0.9

/** Whether little is left of the heap. */
export function isNearlyFull (): boolean {
  const old = getHeapSpaceStatistics().filter(({ space_name: name }) => !YOUNG_SPACES.includes(name))
  return old.reduce((sum, { space_used_size: used }) => sum + used, 0) >= NEARLY_FULL * HEAP_LIMIT
}
