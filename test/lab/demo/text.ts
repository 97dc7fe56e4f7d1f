/** Text cells of a fixed width, and their colours. */

export type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';

const CODES: Readonly<Record<Colour, number>> = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 };

/** Cuts or pads `text` to `width` columns. */
export const alignLeft = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…`.slice(0, width) : text.padEnd(width);

/** The same, at the right edge. */
export const alignRight = (text: string, width: number): string =>
  text.length > width ? alignLeft(text, width) : text.padStart(width);

/** SGR around the text: ECMA-48, 8.3.117. */
export const paint = (text: string, colour: Colour | undefined): string =>
  colour === undefined ? text : `\u001b[${CODES[colour]}m${text}\u001b[0m`;

/** `0:07.3`, minutes and seconds of a time in milliseconds. */
export const clock = (milliseconds: number): string => {
  const tenths = Math.floor(milliseconds / 100);
  const seconds = Math.floor(tenths / 10) % 60;
  return `${Math.floor(tenths / 600)}:${String(seconds).padStart(2, '0')}.${tenths % 10}`;
};

/** A duration in at most 6 columns: `412 ms`, `1.2 s`, `75 s`. */
export const duration = (milliseconds: number): string => {
  if (milliseconds < 999.5) {
    return `${Math.round(milliseconds)} ms`;
  }
  return `${(milliseconds / 1000).toFixed(milliseconds < 9950 ? 1 : 0)} s`;
};

/** A count in at most 6 columns. */
export const count = (value: number): string => {
  if (value < 100_000) {
    return String(Math.round(value));
  }
  return value < 10_000_000 ? `${Math.round(value / 1000)}k` : `${Math.round(value / 1_000_000)}M`;
};
