/** What people with the three kinds of colour blindness see, and how far apart two colours look: for the tests of the theme. */

type Triple = readonly [number, number, number]
type Matrix = readonly [Triple, Triple, Triple]

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
export const KINDS: Readonly<Record<string, Matrix>> = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
}

/** CIE 1976 L*a*b* (D65) of a colour as it is seen with a kind of vision; the first number is its lightness, 0 to 100. */
export function seen (colour: string, kind: string): Triple {
  const linear = [1, 3, 5].map(at => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as unknown as Triple
  const [r, g, b] = times(KINDS[kind] as Matrix, linear).map(value => Math.min(1, Math.max(0, value))) as unknown as Triple
  const [x, y, z] = times([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], [r, g, b])
  const [fx, fy, fz] = [x / 0.95047, y, z / 1.08883].map(t => t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116) as unknown as Triple
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)]
}

/** CIE 1976 difference: 2.3 is just noticeable. */
export function difference (a: string, b: string, kind: string): number {
  const [p, q] = [seen(a, kind), seen(b, kind)]
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
}

function times (matrix: Matrix, [x, y, z]: Triple): Triple {
  return matrix.map(([a, b, c]) => a * x + b * y + c * z) as unknown as Triple
}
