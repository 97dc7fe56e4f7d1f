/** So many flows must be missing in the cache at least: they come and go. */
const FEW = 3;
/** Looks in a row that must find it so: conntrackd reads of a flow a moment after it has begun. */
const LOOKS = 2;
/** The same after the agent itself has filled it: conntrackd may be about to read what was touched. */
const LOOKS_WHILE_FILLING = 3;

/** Whether conntrackd's internal cache holds about as many flows as this node owns: `-f`, ordered by others, empties it. */
export class CacheFill {
  readonly #emptied: (held: number, flows: number) => void;
  #flows = 0;
  /** 'filling': it has held about as many, and the agent itself has filled it since. 'unknown': it may never hold that many. */
  #state: 'full' | 'filling' | 'unknown' = 'unknown';
  #held = 0;
  /** The most that it has held since flows were counted: those that began meanwhile are among them. */
  #most = 0;
  #looks = 0;
  /** How many it held when it seemed too few. */
  #suspect: number | undefined;

  /** @param emptied is told when it is certain: how many it held of how many */
  constructor(emptied: (held: number, flows: number) => void) {
    this.#emptied = emptied;
  }

  /** So many flows were counted in the kernel just now. */
  counted(flows: number): void {
    this.#flows = flows;
    if (this.#suspect !== undefined && isLow(this.#suspect, flows)) {
      this.#emptied(this.#suspect, flows);
    }
    this.#suspect = undefined;
    this.#looks = 0;
    this.#most = 0;
  }

  /**
   * The cache holds so many. Returns whether that seems too few, once: all flows are to be adopted, which counts them again.
   *
   * @param exact whether it should hold what this node owns
   */
  look(held: number, exact: boolean): boolean {
    const grows = held > this.#held;
    this.#held = held;
    if (!exact) {
      this.#looks = 0;
      if (this.#state === 'full') this.#state = 'filling';
      return false;
    }
    this.#most = Math.max(this.#most, held);
    if (!isLow(held, Math.max(this.#flows, this.#most))) {
      this.#looks = 0;
      this.#state = 'full';
      return false;
    }
    if (this.#state === 'unknown' || (this.#state === 'filling' && grows)) {
      this.#looks = 0;
      return false;
    }
    this.#looks += 1;
    if (this.#looks < (this.#state === 'full' ? LOOKS : LOOKS_WHILE_FILLING)) {
      return false;
    }
    this.#state = 'unknown';
    this.#suspect = held;
    return true;
  }
}

const isLow = (held: number, flows: number): boolean => flows - held >= FEW && 2 * held < flows;
