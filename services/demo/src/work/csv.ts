/** A line of CSV, every cell quoted (RFC 4180). */
export function csvLine (cells: readonly string[]): string {
  return cells.map(cell => `"${cell.replaceAll('"', '""')}"`).join(',') + '\r\n'
}
