import { type Warning, warningText } from '../../cluster/warning.ts';
import { type ClusterConfig, deviceOf, type NodeConfig } from '../../config/types.ts';
import { ingressRedirects } from '../../kernel/ingress-filters.ts';
import { addressesOf, listLinks, openLinkChannel } from '../../kernel/links.ts';
import { openRulesetChannel } from '../../kernel/nftables.ts';
import { portsIn } from '../../kernel/port-set.ts';
import type { Logger } from '../../system/log.ts';
import { ASKED_PORTS } from '../owned.ts';
import { DnatReader } from './dnat-reader.ts';
import { redirected } from './redirected.ts';
import { SocketsInRange } from './sockets-in-range.ts';
import { TranslationsJudge } from './translations-judge.ts';
import { udpSockets } from './udp-sockets.ts';

const LOOK_MS = 1000;

/** Watches what other programs on this machine do to the packets of the cluster. It changes nothing of it. */
export class OthersWatch {
  readonly #config: ClusterConfig;
  readonly #node: NodeConfig;
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #links = openLinkChannel();
  readonly #rules = openRulesetChannel();
  readonly #dnat = new DnatReader();
  readonly #judge: TranslationsJudge;
  readonly #sockets: SocketsInRange;
  /** What was found at the last look, by its key: it counts when it is so at the next one too. */
  #suspected: ReadonlySet<string> = new Set();
  /** What counts, by its key; each was logged, and its end will be. */
  #told: ReadonlyMap<string, Warning> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(config: ClusterConfig, node: NodeConfig, log: Pick<Logger, 'info' | 'warn'>) {
    this.#config = config;
    this.#node = node;
    this.#log = log;
    this.#judge = new TranslationsJudge(config, node);
    this.#sockets = new SocketsInRange(config.interfaces.flatMap(({ snat }) => snat));
  }

  /** None before the second look. */
  get warnings(): readonly Warning[] {
    return [...this.#told.values()];
  }

  /** Begins to look, once a second. */
  begin(): void {
    void this.#look();
  }

  /** Ends the watch; `warnings` stay as they are. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#dnat.close();
    this.#links.close();
    this.#rules.close();
  }

  /** Another look has found this. */
  take(found: readonly Warning[]): void {
    const before = this.#told;
    const lasting = found.filter((one) => this.#suspected.has(keyOf(one)));
    this.#told = new Map(lasting.map((one) => [keyOf(one), one]));
    this.#suspected = new Set(found.map(keyOf));
    for (const [key, warning] of this.#told) {
      if (before.get(key)?.text !== warning.text) this.#log.warn(warningText(warning));
    }
    for (const [key, warning] of before) {
      if (!this.#told.has(key)) this.#log.info(`no longer so: ${warningText(warning)}`);
    }
  }

  async #look(): Promise<void> {
    const found = await Promise.all([
      this.#lookAt('translations', () => this.#translations()),
      this.#lookAt('filters', () => this.#redirects()),
      this.#lookAt('sockets', () => this.#inRange()),
    ]);
    if (this.#closed) return;
    this.take(found.flat());
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** What can't be looked at is a warning itself: nobody knows then whether all is well. */
  async #lookAt(what: string, look: () => Promise<readonly Warning[]>): Promise<readonly Warning[]> {
    try {
      return await look();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `other programs' ${what} can't be looked at: whether they touch packets of the cluster isn't known; ${why}`;
      return [{ code: 'others-unknown', object: what, text }];
    }
  }

  async #translations(): Promise<readonly Warning[]> {
    const translations = await this.#dnat.read();
    const addresses =
      translations.rules.length === 0
        ? []
        : await addressesOf(await listLinks(this.#links), [4, 6], this.#links);
    return this.#judge.judge(translations, addresses);
  }

  async #inRange(): Promise<readonly Warning[]> {
    const sockets = await udpSockets();
    const asked = this.#sockets.mustAsk(sockets)
      ? await portsIn(this.#rules, ASKED_PORTS)
      : new Set<number>();
    return this.#sockets.judge(sockets, asked, performance.now());
  }

  async #redirects(): Promise<readonly Warning[]> {
    const links = await listLinks(this.#links);
    const nameOf = (index: number): string =>
      links.find((link) => link.index === index)?.name ?? `interface ${index}`;
    const legs = this.#config.interfaces.map(({ name }) => deviceOf(this.#node, name));
    const found: Warning[] = [];
    for (const { name, index } of links.filter((link) => legs.includes(link.name))) {
      found.push(...redirected(name, await ingressRedirects(this.#links, index), nameOf));
    }
    return found;
  }
}

const keyOf = ({ code, object }: Warning): string => `${code} ${object}`;
