import type { Readable } from 'node:stream';
import { ExecaError, execa } from 'execa';
import { contains, single } from '../config/subnet.ts';
import { type LocalAddress, localAddresses } from '../kernel/links.ts';
import { LineSplitter } from '../system/lines.ts';

/** Silence that counts as a lost network: three requests without an answer, and the fourth is under way. */
const SILENCE_MS = 2000;
/** Between the end of a `ping` and the next one. */
const PAUSE_MS = 500;
const LINE_BYTES = 4096;

export interface ProbeSettings {
  /** The configuration's name of the interface, for what is noted. */
  readonly name: string;
  /** The node's. */
  readonly device: string;
  /** The neighbour to be asked. */
  readonly address: string;
  /** What no question may come from: the answer would go to every node. */
  readonly shared: readonly string[];
  readonly note: (text: string) => void;
}

/**
 * Asks a neighbour twice a second whether it is there, with one `ping` that runs on. It has no clock of its own: silence
 * is as long as `watched` says that somebody watched, so that a frozen process takes its own sleep for nobody's silence.
 */
export class Probe {
  readonly #settings: ProbeSettings;
  readonly #noted = new Set<string>();
  #ping: AbortController | undefined;
  #starting = false;
  /** Since the last answer, or since the beginning. */
  #silentMs = 0;
  /** Since a `ping` was last started, or was last to be. */
  #sinceStartMs = PAUSE_MS;
  #sourceless = false;
  /** It can't be asked here at all: as if there were no probe. */
  #off = false;
  #closed = false;

  constructor(settings: ProbeSettings) {
    this.#settings = settings;
    this.watched(0);
  }

  /** Why the network behind the interface counts as lost: how the sentence `eth1 ...` goes on. Undefined: it doesn't. */
  get problem(): string | undefined {
    if (this.#off || this.#silentMs < SILENCE_MS) {
      return undefined;
    }
    const { address } = this.#settings;
    return this.#sourceless
      ? `has no address of its own to ask ${address} from`
      : `gets no answer from ${address}`;
  }

  /** Another `ms` milliseconds have passed in which an answer would have been seen. */
  watched(ms: number): void {
    this.#silentMs += ms;
    this.#sinceStartMs += ms;
    // A `ping` never notices that its interface was made anew, or that it asks from an address that is gone.
    if (Math.min(this.#silentMs, this.#sinceStartMs) >= SILENCE_MS) {
      this.#stop();
    }
    const idle = this.#ping === undefined && !this.#starting && !this.#off && !this.#closed;
    if (idle && this.#sinceStartMs >= PAUSE_MS) {
      this.#starting = true;
      this.#sinceStartMs = 0;
      void this.#start().finally(() => {
        this.#starting = false;
      });
    }
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  async #start(): Promise<void> {
    const { name, device, address, shared } = this.#settings;
    const local = await localAddresses().catch(() => undefined); // the next start tries again
    if (this.#closed || local === undefined) {
      return;
    }
    if (local.some((one) => one.address === address)) {
      this.#off = true;
      this.#note(
        `interfaces.${name}.probe: ${address} is this node's own address, so nobody is asked; name a neighbour`,
      );
      return;
    }
    const source = sourceFor(local, device, address, shared);
    this.#sourceless = source === undefined;
    if (source !== undefined) {
      this.#run(pingArguments(device, source, address));
    }
  }

  #run(args: readonly string[]): void {
    const controller = new AbortController();
    this.#ping = controller;
    const answer = ` bytes from ${this.#settings.address}: `;
    let complaint = '';
    const child = execa('ping', args, {
      cwd: '/',
      env: { LC_ALL: 'C' },
      stdin: 'ignore',
      buffer: false,
      reject: false,
      cancelSignal: controller.signal,
      killSignal: 'SIGKILL',
    });
    onLines(child.stdout, (line) => {
      if (line.includes(answer) && this.#ping === controller) {
        this.#silentMs = 0;
      }
    });
    onLines(child.stderr, (line) => {
      complaint = line;
    });
    void child.then((result) => {
      if (this.#ping === controller) {
        this.#ping = undefined;
        this.#sinceStartMs = 0;
        this.#ended(result instanceof ExecaError && result.code === 'ENOENT', complaint);
      }
    });
  }

  /** A `ping` has ended by itself, which none does that could begin. */
  #ended(missing: boolean, complaint: string): void {
    const key = `interfaces.${this.#settings.name}.probe`;
    if (missing) {
      this.#off = true;
      this.#note(`${key}: ping is not installed, so nobody is asked; apt install iputils-ping`);
    } else if (complaint !== '') {
      this.#note(`${key}: ping ended: ${complaint}`);
    }
  }

  #stop(): void {
    this.#ping?.abort();
    this.#ping = undefined;
  }

  #note(text: string): void {
    if (!this.#noted.has(text)) {
      this.#noted.add(text);
      this.#settings.note(text);
    }
  }
}

/**
 * What `ping` of iputils is called with. `-O` has it write about what isn't answered too: so it ends with whoever read its
 * output, even one that was killed.
 */
export const pingArguments = (device: string, source: string, address: string): readonly string[] => [
  ...['-n', '-O', '-i', '0.5', '-I', source, '-I', device, address],
];

const onLines = (stream: Readable, take: (line: string) => void): void => {
  const splitter = new LineSplitter(LINE_BYTES, take, () => undefined);
  stream.on('data', (chunk: Buffer) => splitter.push(chunk));
};

/** The node's own address on the neighbour's network, or else another one that it has on the interface. */
const sourceFor = (
  local: readonly LocalAddress[],
  device: string,
  address: string,
  shared: readonly string[],
): string | undefined => {
  const own = local.filter((one) => one.device === device && !shared.includes(one.address));
  return (own.find((one) => contains(one, single(address))) ?? own[0])?.address;
};
