import type { Link } from '../kernel/links.ts';
import { type DevicePart, isOnDevice, type Part } from './parts.ts';
import { takePresent } from './put.ts';

/**
 * Notices that one of our interfaces has got another name. Rules and configuration are for the name, so whatever we have put on the
 * interface comes off: it would answer for the shared addresses, and nothing would sort what it is sent.
 */
export class Strays {
  readonly #parts: readonly DevicePart[];
  readonly #devices: ReadonlySet<string>;
  /** By the name that the configuration knows. */
  readonly #indices = new Map<string, number>();

  constructor(parts: readonly Part[]) {
    this.#parts = parts.filter(isOnDevice);
    this.#devices = new Set(this.#parts.map(({ device }) => device));
  }

  /** Takes them down. Returns a sentence about each interface; throws what `takePresent` throws, and can be called again then. */
  async take(links: readonly Link[]): Promise<readonly string[]> {
    const notes: string[] = [];
    for (const [device, index] of this.#indices) {
      const name = links.find((link) => link.index === index)?.name ?? device;
      if (name !== device) {
        await takePresent(this.#of(device).map((part) => ({ ...part, device: name })));
        this.#indices.delete(device);
        notes.push(`${device} is called ${name} now: the shared addresses were taken off it`);
      }
    }
    for (const { name, index } of links.filter((link) => this.#devices.has(link.name))) {
      this.#indices.set(name, index);
    }
    return notes;
  }

  #of(device: string): readonly DevicePart[] {
    return this.#parts.filter((part) => part.device === device);
  }
}
