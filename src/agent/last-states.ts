import type { ExternalCache } from '../transitions/edges.ts';

/**
 * With `replicas: cache`: what happened to this node's flows leaves for the peer that asks for them before it is answered.
 */
export class LastStates {
  readonly #external: Pick<ExternalCache, 'sent'>;
  readonly #warn: (text: string) => void;
  #leaving = false;

  constructor(external: Pick<ExternalCache, 'sent'>, warn: (text: string) => void) {
    this.#external = external;
    this.#warn = warn;
  }

  /** The answer says that it is done. Until then the peer is not to see by a status that nobody owns the group. */
  get leaving(): boolean {
    return this.#leaving;
  }

  async send(): Promise<void> {
    this.#leaving = true;
    try {
      if (!(await this.#external.sent())) {
        this.#warn('not all states had left for the peer when it was answered');
      }
    } catch (error) {
      this.#warn(error instanceof Error ? error.message : String(error));
    } finally {
      this.#leaving = false;
    }
  }
}
