import type { Happening, Model } from './model.ts';
import { renderScreen } from './screen.ts';
import { clock, count } from './text.ts';

/** Where the demo is shown. */
export interface Display {
  /** Called several times a second. */
  show(model: Model): void;
  /** Ends the live view; what is printed afterwards stands below it. */
  end(): void;
}

/** Live on a terminal, plain lines anywhere else. */
export const createDisplay = (output: NodeJS.WriteStream = process.stdout): Display =>
  output.isTTY ? new TerminalDisplay(output) : new PlainDisplay((line) => output.write(`${line}\n`));

/*
 * ANSI and xterm's control sequences (ECMA-48; https://invisible-island.net/xterm/ctlseqs/ctlseqs.html). 2026 has the
 * terminal show a frame at once; one that doesn't know it ignores it.
 */
const ALTERNATE_SCREEN = '\u001b[?1049h\u001b[?25l';
const NORMAL_SCREEN = '\u001b[?25h\u001b[?1049l';
const FRAME_BEGIN = '\u001b[?2026h\u001b[H';
const CLEAR_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const FRAME_END = '\u001b[?2026l';

/** Redraws in place: nothing is erased before it is written over, so nothing flickers. */
class TerminalDisplay implements Display {
  readonly #output: NodeJS.WriteStream;
  readonly #restore = (): void => this.end();
  #last: Model | undefined;
  #open = false;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  show(model: Model): void {
    if (!this.#open) {
      this.#open = true;
      this.#output.write(ALTERNATE_SCREEN);
      process.once('exit', this.#restore);
    }
    this.#last = model;
    const lines = renderScreen(model, this.#size());
    const body = lines.map((line) => line + CLEAR_LINE_END).join('\n');
    this.#output.write(FRAME_BEGIN + body + CLEAR_BELOW + FRAME_END);
  }

  /** Leaves the last screen standing in the normal buffer. */
  end(): void {
    if (!this.#open) {
      return;
    }
    this.#open = false;
    process.off('exit', this.#restore);
    this.#output.write(NORMAL_SCREEN);
    if (this.#last !== undefined) {
      this.#output.write(`${renderScreen(this.#last, this.#size()).join('\n')}\n`);
    }
  }

  #size(): { columns: number; rows: number; colour: boolean } {
    const { columns = 80, rows = 24 } = this.#output;
    return { columns, rows, colour: process.env['NO_COLOR'] === undefined };
  }
}

const PLAIN_EVERY = 5000;

/** A line for each event, and one about everything every five seconds. */
export class PlainDisplay implements Display {
  readonly #print: (line: string) => void;
  readonly #printed = new Set<Happening>();
  #next = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  show(model: Model): void {
    for (const event of model.events.filter((each) => !this.#printed.has(each))) {
      this.#printed.add(event);
      this.#print(`${clock(event.at)}  ${event.text}`);
    }
    if (model.elapsed >= this.#next) {
      this.#next = model.elapsed + PLAIN_EVERY;
      this.#print(plainStatus(model));
    }
  }

  end(): void {}
}

const plainStatus = ({ elapsed, nodes, groups, flows }: Model): string => {
  const node = nodes.map(({ name, on, sends }) => `${name} ${on ? `${count(sends)} pkt/s` : 'no power'}`);
  const group = groups.map(
    ({ name, owners }) => `${name}: ${owners.map((each) => each.node).join('+') || 'nobody'}`,
  );
  const lost = flows.filter((flow) => flow.lost).length;
  return `${clock(elapsed)}  ${[...group, ...node, `${flows.length} flows, ${lost} lost`].join(', ')}`;
};
