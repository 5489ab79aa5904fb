type Column = Int32Array | Float64Array

/** A list of numbers that grows: eight bytes or four an entry, where an array of objects would need fifty. */
class Growing<Type extends Column> {
  length = 0
  #values: Type
  readonly #make: (size: number) => Type

  constructor (make: (size: number) => Type) {
    this.#make = make
    this.#values = make(1024)
  }

  /** @returns The entry's index. */
  push (value: number): number {
    if (this.length === this.#values.length) {
      const larger = this.#make(this.length * 2)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.length] = value
    return this.length++
  }

  at (index: number): number {
    return this.#values[index] as number
  }

  set (index: number, value: number): void {
    this.#values[index] = value
  }

  toArray (): number[] {
    return Array.from(this.#values.subarray(0, this.length))
  }
}

export function integers (): Growing<Int32Array> {
  return new Growing(size => new Int32Array(size))
}

export function floats (): Growing<Float64Array> {
  return new Growing(size => new Float64Array(size))
}
