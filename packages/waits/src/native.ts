/**
 * The one file through which functions are called that V8 tells no frame of, as it does of most of those of native addons: their time is that of the frame that
 * calls them. What is told of this one is no work of the recorder's, and no caller.
 */
export function callNative (fn: Function, self: unknown, args: unknown[]): unknown {
  return Reflect.apply(fn, self, args)
}
