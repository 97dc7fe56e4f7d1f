import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ClusterConfig, NodeConfig } from '../config/types.ts';
import { interfaceNames } from '../system/interface-names.ts';
import { uptimeTicks } from '../system/process-start.ts';
import { checkConfiguration } from './check.ts';
import type { Finding } from './finding.ts';
import { type ConntrackdProcess, listenerOn, udpEndpointsOf } from './process.ts';
import { renderConntrackd, Unrenderable } from './render.ts';
import { parseConfiguration, type Statement } from './syntax.ts';
import { differences, type Traits, traitsOf, traitsOfFile } from './traits.ts';

/** Which configuration a conntrackd was started with, kept so that an agent that is started anew knows it. */
export interface ConfigurationMemory {
  readonly read: () => string | undefined;
  readonly write: (text: string) => void;
}

/** What is wrong with the configuration that conntrackd runs with. */
export interface ConfigurationFault {
  /** What and where, and the mend, in one line. */
  readonly text: string;
  /** Whether states come and go all the same: what is wrong shows at its next start, or in what is missing. */
  readonly harmless: boolean;
}

/** One conntrackd: what it shows doesn't change while it runs. */
interface Seen {
  readonly identity: string | undefined;
  readonly queue: string;
  readonly process: ConntrackdProcess | undefined;
  readonly endpoints: readonly string[] | undefined;
}

interface File {
  readonly changed: bigint;
  readonly traits: Traits;
  readonly hash: string;
  /** What in it doesn't go with the cluster, whatever addresses the node has. */
  readonly findings: readonly Finding[];
  /** Milliseconds since 1970 of its last change, of whatever kind. */
  readonly at: number;
}

const RESTART = 'systemctl restart conntrackd';

/**
 * Whether conntrackd runs with the configuration that its file holds, and whether that is the cluster's. What it answers
 * decides; what can't be seen from outside is told only by the file's having changed since its start. A file that is written
 * anew and says the same is no news.
 */
export class ConfigurationWatch {
  readonly #path: string;
  readonly #socket: string;
  readonly #wanted: Traits;
  readonly #check: (text: string) => readonly Finding[];
  readonly #memory: ConfigurationMemory;
  #file: File | undefined;
  #seen: Seen | undefined;

  constructor(config: ClusterConfig, node: NodeConfig, memory: ConfigurationMemory) {
    this.#path = config.paths.conntrackdConf;
    this.#socket = config.paths.conntrackd;
    this.#wanted = wantedOf(config, node);
    this.#check = (text) => checkConfiguration(text, config, node).filter(({ fleeting }) => !fleeting);
    this.#memory = memory;
  }

  /**
   * @param identity of the conntrackd that has answered
   * @param statistics what it has answered to that
   * @param askQueue asks it for `queue`; once for each conntrackd
   */
  async look(
    identity: string | undefined,
    statistics: string,
    askQueue: () => Promise<string>,
  ): Promise<ConfigurationFault | undefined> {
    if (this.#seen === undefined || this.#seen.identity !== identity) {
      const queue = await askQueue();
      const process = listenerOn(this.#socket);
      this.#seen = { identity, queue, process, endpoints: process && udpEndpointsOf(process.pid) };
    }
    const { process, queue, endpoints } = this.#seen;
    const file = this.#readFile();
    const fault = this.#compare(
      traitsOf({ statistics, queue, endpoints, interfaces: interfaceNames() }),
      file?.traits,
    );
    if (fault !== undefined || file === undefined || process === undefined) {
      return fault;
    }
    if (this.#hasChanged(file, process)) {
      return {
        text: `conntrackd (process ${process.pid}) runs with what stood in ${this.#path} before that was changed; load it: ${RESTART}`,
        harmless: true,
      };
    }
    return this.#isKnown(process) ? this.#found(file.findings) : undefined;
  }

  /** What can't be seen from outside, and stands in the file that it was started with. */
  #found([first, ...others]: readonly Finding[]): ConfigurationFault | undefined {
    if (first === undefined) {
      return undefined;
    }
    const { line, what, why, mend } = first;
    const more =
      others.length > 0 ? ` (and ${others.length} more like it: see the log of the agent's start)` : '';
    const text = `conntrackd runs with ${this.#path}, line ${line}: ${what}: ${why}; ${mend}${more}, then ${RESTART}`;
    return { text, harmless: true };
  }

  #isKnown({ pid, start }: ConntrackdProcess): boolean {
    return (this.#memory.read() ?? '').startsWith(`${pid} ${start}/`);
  }

  #compare(seen: Traits, file: Traits | undefined): ConfigurationFault | undefined {
    const harm = differences(seen, this.#wanted);
    const others = file === undefined ? [] : differences(seen, file);
    if (harm.length > 0) {
      const right = others.length > 0 && differences(file ?? {}, this.#wanted).length === 0;
      const mend = right ? `load it: ${RESTART}` : `${this.#render} && ${RESTART}`;
      const text =
        others.length > 0
          ? `it runs with another configuration than ${this.#path}: ${others.join('; ')}; ${mend}`
          : `its configuration isn't this cluster's: ${harm.join('; ')}; ${mend}`;
      return { text, harmless: false };
    }
    return others.length === 0
      ? undefined
      : {
          text: `conntrackd runs as the cluster needs it, and ${this.#path} is another configuration: with that it wouldn't (${others.join('; ')}); write it again: ${this.#render}`,
          harmless: true,
        };
  }

  get #render(): string {
    return `conntrack-ha render conntrackd > ${this.#path}`;
  }

  /** Known only of a conntrackd that was seen before its file changed: of another nobody knows what it has read. */
  #hasChanged(file: File, { pid, start }: ConntrackdProcess): boolean {
    const [known, hash] = (this.#memory.read() ?? '').trim().split('/');
    if (known === `${pid} ${start}`) {
      return hash !== file.hash;
    }
    const started = Date.now() - (uptimeTicks() - start) * 10;
    if (file.at < started) {
      this.#memory.write(`${pid} ${start}/${file.hash}\n`);
    }
    return false;
  }

  #readFile(): File | undefined {
    try {
      // The time of its last change of any kind: one that was moved here may be of any age.
      const { ctimeNs, ctimeMs, ino } = statSync(this.#path, { bigint: true });
      const changed = ctimeNs ^ ino;
      if (this.#file?.changed !== changed) {
        const text = readFileSync(this.#path, 'utf8');
        const hash = createHash('sha256').update(meaningOf(text)).digest('hex');
        this.#file = {
          changed,
          traits: traitsOfFile(text),
          hash,
          findings: this.#check(text),
          at: Number(ctimeMs),
        };
      }
      return this.#file;
    } catch {
      this.#file = undefined;
      return undefined;
    }
  }
}

/** Nothing, where no conntrackd could be configured. */
const wantedOf = (config: ClusterConfig, node: NodeConfig): Traits => {
  try {
    return traitsOfFile(renderConntrackd(config, node));
  } catch (error) {
    if (error instanceof Unrenderable) {
      return {};
    }
    throw error;
  }
};

/** Without comments, line ends and widths. */
const meaningOf = (text: string): string =>
  JSON.stringify(parseConfiguration(text).statements.map(withoutLines));

const withoutLines = ({ name, values, block }: Statement): unknown => [
  name,
  values,
  block?.map(withoutLines),
];
