class Itself {
  constructor (object: object) {
    return object
  }
}

/**
 * A number on a promise that nobody else can see: a private field, given to an object that exists already by returning it from the
 * superclass's constructor. A WeakMap costs five times as much, and a symbol would show in `util.inspect` and `deepStrictEqual`.
 */
class Stamped extends Itself {
  #stamp: number

  constructor (object: object, stamp: number) {
    super(object)
    this.#stamp = stamp
  }

  static read (object: object): number {
    return #stamp in object ? (object as Stamped).#stamp : 0
  }

  static write (object: object, stamp: number): void {
    if (#stamp in object) (object as Stamped).#stamp = stamp
    // eslint-disable-next-line no-new -- the constructor puts the field on the object
    else new Stamped(object, stamp)
  }
}

/** The number on a promise; 0 where it has none. */
export const readStamp = Stamped.read

/** Puts a number on a promise, in place of the one it had. */
export const writeStamp = Stamped.write
