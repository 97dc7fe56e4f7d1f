import type { Logger } from '../system/log.ts';
import type { NotifyVoice } from './notify-voice.ts';

/** Between two looks whether there is something new to tell, in milliseconds. */
const PERIOD_MS = 2000;

/** What it is told with. */
export interface ServiceManagerHost {
  readonly voice: NotifyVoice;
  /** Milliseconds after which an agent that hasn't been heard is ended; 0: never. */
  readonly watchdog: number;
  /** One line. */
  readonly status: () => string;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Tells systemd how the agent is, sd_notify(3): that it answers, what it does, and that its event loop turns. The last is no word about
 * its rounds: one that takes minutes on a slow machine is no reason to end the agent.
 */
export class ServiceManager {
  readonly #host: ServiceManagerHost;
  #timer: NodeJS.Timeout | undefined;
  /** Not taken yet: its queue was full. */
  #owed = '';
  #status = '';
  #failed = false;

  constructor(host: ServiceManagerHost) {
    this.#host = host;
  }

  /** To be called when the agent can be asked and can be told. From then on it has to be heard. */
  async ready(): Promise<void> {
    const { voice, watchdog } = this.#host;
    const period = Math.min(voice.costly ? Number.POSITIVE_INFINITY : PERIOD_MS, watchdog / 4 || PERIOD_MS);
    this.#timer = setInterval(() => void this.#beat(), period);
    await this.#tell(['READY=1', ...this.#news()]);
  }

  async stopping(): Promise<void> {
    clearInterval(this.#timer);
    await this.#tell(['STOPPING=1', 'STATUS=ends: what this node owns it goes on filtering']);
    this.#host.voice.close();
  }

  async #beat(): Promise<void> {
    const { watchdog } = this.#host;
    await this.#tell([...(watchdog > 0 ? ['WATCHDOG=1'] : []), ...this.#news()]);
  }

  #news(): readonly string[] {
    let status: string;
    try {
      status = this.#host.status();
    } catch (error) {
      // Whatever that is, the loop turns.
      status = error instanceof Error ? error.message : String(error);
    }
    if (status === this.#status) {
      return [];
    }
    this.#status = status;
    return [`STATUS=${status.replaceAll('\n', ' ')}`];
  }

  /** A failure is said once: systemd then says itself what it misses. */
  async #tell(lines: readonly string[]): Promise<void> {
    const text = [...(this.#owed === '' ? [] : [this.#owed]), ...lines].join('\n');
    if (text === '') {
      return;
    }
    try {
      this.#owed = (await this.#host.voice.send(text)) ? '' : text.replaceAll(/\n?WATCHDOG=1/g, '').trim();
    } catch (error) {
      if (!this.#failed) {
        this.#failed = true;
        const reason = error instanceof Error ? error.message : String(error);
        this.#host.log.warn(`systemd can't be told how the agent is: ${reason}`);
      }
    }
  }
}
