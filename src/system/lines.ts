/** Splits a stream of bytes into lines of at most `limit` bytes; a longer one is reported once and skipped to its end. */
export class LineSplitter {
  readonly #limit: number;
  readonly #line: (line: string) => void;
  readonly #tooLong: (bytes: number) => void;
  #pending = '';
  #skipped = 0;

  constructor(limit: number, line: (line: string) => void, tooLong: (bytes: number) => void) {
    this.#limit = limit;
    this.#line = line;
    this.#tooLong = tooLong;
  }

  push(chunk: Buffer | string): void {
    const parts = chunk.toString('latin1').split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      this.#end(part);
    }
    this.#grow(last);
  }

  /** The stream has ended: a line without its newline was cut, and is dropped. Returns its length in bytes. */
  end(): number {
    const cut = this.#pending.length + this.#skipped;
    this.#pending = '';
    this.#skipped = 0;
    return cut;
  }

  #end(part: string): void {
    this.#grow(part);
    if (this.#skipped > 0) {
      this.#tooLong(this.#skipped);
    } else {
      this.#line(this.#pending);
    }
    this.end();
  }

  #grow(part: string): void {
    if (this.#skipped > 0 || this.#pending.length + part.length > this.#limit) {
      this.#skipped += this.#pending.length + part.length;
      this.#pending = '';
    } else {
      this.#pending += part;
    }
  }
}
