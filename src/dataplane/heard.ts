import { SetKeys } from '../kernel/set-keys.ts';
import type { SetRef } from '../kernel/set-message.ts';
import { textOfAddress } from './nftables/address-bytes.ts';
import { heardOn, SENDERS, TABLE, VRRP } from './owned.ts';
import type { Plan } from './plan.ts';

/** What the rules have seen, in the last seconds, of what only this cluster's nodes should say: theirs too. */
export interface Heard {
  readonly vrrp: readonly HeardRouter[];
  readonly neighbours: readonly HeardNeighbour[];
  /** Addresses of those who sent to the synchronisation's ports on its link and are no peer. */
  readonly senders: readonly string[];
}

/** An advertisement of VRRPv3. */
export interface HeardRouter {
  readonly source: string;
  readonly vrid: number;
  readonly priority: number;
}

/** Somebody who says that an address is his: a shared one, or with the shared MAC another one. */
export interface HeardNeighbour {
  readonly device: string;
  /** The frame's source. */
  readonly mac: string;
  readonly address: string;
}

/** Version 3, type 1, and VRID 0 (RFC 5798, 5.2), as one number of 16 bits. */
export const VRRP_V3_ADVERTISEMENT = 0x3100;

const MAC_BYTES = 6;
/** With what fills it up. */
const MAC_FIELD = 8;

/** Reads what the rules have kept in mind. To be closed. */
export class Ears {
  readonly #plan: Pick<Plan, 'legs' | 'vrrp'>;
  readonly #keys = new SetKeys();

  constructor(plan: Pick<Plan, 'legs' | 'vrrp'>) {
    this.#plan = plan;
  }

  /** Nothing where no rules are loaded, or none of nftables. Throws what `SetKeys.read` throws. */
  async listen(): Promise<Heard> {
    const { legs, vrrp } = this.#plan;
    const neighbours: HeardNeighbour[] = [];
    for (const { label, device } of legs) {
      for (const family of ['ip', 'ip6'] as const) {
        const set = { family: 'netdev', table: TABLE, name: heardOn(label, family) } as const;
        neighbours.push(...(await this.#read(set)).map((key) => neighbourOf(device, key)));
      }
    }
    return {
      vrrp: vrrp === undefined ? [] : (await this.#read(VRRP)).map(routerOf),
      neighbours,
      senders: (await this.#read(SENDERS)).map(textOfAddress),
    };
  }

  close(): void {
    this.#keys.close();
  }

  async #read(set: SetRef): Promise<readonly Buffer[]> {
    return (await this.#keys.read(set)) ?? [];
  }
}

const neighbourOf = (device: string, key: Buffer): HeardNeighbour => ({
  device,
  mac: key
    .subarray(0, MAC_BYTES)
    .toString('hex')
    .replace(/..(?!$)/g, '$&:'),
  address: textOfAddress(key.subarray(MAC_FIELD)),
});

const routerOf = (key: Buffer): HeardRouter => ({
  source: textOfAddress(key.subarray(0, 4)),
  vrid: key.readUInt8(5),
  priority: key.readUInt8(8),
});
