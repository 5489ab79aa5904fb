/** The package has no types of its own; as far as it is used. */
declare module 'subset-font' {
  export default function subsetFont (font: Buffer, text: string, options: {
    readonly targetFormat: 'truetype'
    readonly variationAxes?: Readonly<Record<string, number>>
  }): Promise<Buffer>
}
