import type { Group } from '../../../src/cluster/groups.ts';
import type { KeepalivedWord } from '../../../src/managers/keepalived/line.ts';
import type { Process } from './process.ts';

const ADVERT_MS = 100;

/** What keepalived sees of its node and its switch. */
export interface KeepalivedHost {
  readonly node: string;
  readonly id: number;
  /** What the track file says of the group: 0 or -100. */
  readonly ready: (group: string) => number;
  readonly advertise: (group: string, priority: number) => void;
  readonly say: (group: string, word: KeepalivedWord) => void;
}

/** keepalived as rendered: one VRRP instance a group, starting as BACKUP, preempting, gated by its track file. */
export class Keepalived {
  readonly process: Process;
  readonly #instances: ReadonlyMap<string, Instance>;
  #isPlugged: boolean;
  #runs = false;

  constructor(groups: readonly Group[], process: Process, host: KeepalivedHost, plugged: boolean) {
    this.process = process;
    this.#instances = new Map(groups.map((group) => [group.name, new Instance(group, process, host)]));
    // Its FIFO is open before its child runs that says the first words.
    this.#isPlugged = plugged;
    process.timer(process.clock.between(20, 200), () => {
      this.#runs = true;
      this.plugged(this.#isPlugged);
    });
  }

  heard(group: string, priority: number, from: number): void {
    this.#instances.get(group)?.heard(priority, from);
  }

  /** The cable of its interface is pulled, or put in again. */
  plugged(plugged: boolean): void {
    this.#isPlugged = plugged;
    for (const instance of this.#runs ? this.#instances.values() : []) {
      plugged ? instance.back() : instance.fault();
    }
  }

  /** Whether this keepalived has ever said so of the group. */
  hasSaidMaster(group: string): boolean {
    return this.#instances.get(group)?.hasBeenMaster ?? false;
  }

  /** SIGTERM: gives up at once and says so. */
  stop(): void {
    for (const instance of this.#instances.values()) {
      instance.stop();
    }
    this.process.kill();
  }
}

class Instance {
  readonly #group: Group;
  readonly #process: Process;
  readonly #host: KeepalivedHost;
  readonly #rank: number;
  #state: 'BACKUP' | 'MASTER' | 'FAULT' = 'FAULT';
  #downAt = Number.POSITIVE_INFINITY;
  #lookAt = Number.POSITIVE_INFINITY;
  #term = 0;
  hasBeenMaster = false;

  constructor(group: Group, process: Process, host: KeepalivedHost) {
    this.#group = group;
    this.#process = process;
    this.#host = host;
    this.#rank = group.order.indexOf(host.node);
  }

  get #priority(): number {
    const base = this.#rank === 0 ? 150 : 110 - 10 * this.#rank;
    return Math.max(base + this.#host.ready(this.#group.name), 1);
  }

  get #skew(): number {
    return ((256 - this.#priority) / 256) * ADVERT_MS;
  }

  back(): void {
    this.#become('BACKUP');
    this.#await(3 * ADVERT_MS + this.#skew);
  }

  fault(): void {
    this.#become('FAULT');
  }

  stop(): void {
    if (this.#state === 'MASTER') {
      this.#host.advertise(this.#group.name, 0);
    }
    this.#host.say(this.#group.name, 'STOP');
  }

  /** @param from the sender's id: addresses stand in that order */
  heard(priority: number, from: number): void {
    const own = this.#priority;
    if (this.#state === 'BACKUP') {
      if (priority === 0) {
        this.#await(this.#skew);
      } else if (priority >= own) {
        this.#await(3 * ADVERT_MS + this.#skew);
      }
    } else if (this.#state === 'MASTER') {
      if (priority > own || (priority === own && from > this.#host.id)) {
        this.back();
      } else {
        this.#host.advertise(this.#group.name, own);
        this.#host.say(this.#group.name, 'MASTER_RX_LOWER_PRI');
      }
    }
  }

  #become(state: 'BACKUP' | 'MASTER' | 'FAULT'): void {
    this.#state = state;
    this.hasBeenMaster ||= state === 'MASTER';
    this.#term += 1;
    this.#downAt = Number.POSITIVE_INFINITY;
    this.#host.say(this.#group.name, state);
  }

  /** Without a better advertisement in that time it is master. */
  #await(milliseconds: number): void {
    this.#downAt = this.#process.clock.now + milliseconds;
    if (this.#downAt < this.#lookAt) {
      this.#lookAt = this.#downAt;
      this.#process.timer(milliseconds, () => this.#look());
    }
  }

  #look(): void {
    this.#lookAt = Number.POSITIVE_INFINITY;
    if (this.#state !== 'BACKUP') {
      return;
    }
    const left = this.#downAt - this.#process.clock.now;
    if (left > 1e-6) {
      this.#await(left);
      return;
    }
    this.#become('MASTER');
    this.#advertise(this.#term);
  }

  #advertise(term: number): void {
    if (term === this.#term) {
      this.#host.advertise(this.#group.name, this.#priority);
      this.#process.timer(ADVERT_MS, () => this.#advertise(term));
    }
  }
}
