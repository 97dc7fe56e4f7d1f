import type { KeepalivedWord } from './line.ts';
import { roleOf } from './line.ts';

/** So many looks in a row must contradict the last line: three, half a second apart, are a second. */
const LOOKS = 3;
export const LOOK_MS = 500;

/**
 * What the address says: MASTER, or that keepalived isn't that. Which of its other states it is in can't be seen, so
 * this is not its BACKUP, by which a node without peers stops serving: somebody may have removed the address by hand,
 * and keepalived neither notices that (no_track) nor leaves MASTER.
 */
export type WitnessWord = 'MASTER' | 'NOT-MASTER';

export interface Correction {
  readonly group: string;
  readonly word: WitnessWord;
  readonly address: string;
  /** The last word that was heard, if any was. */
  readonly said: string | undefined;
}

/** The address that the instance with this VRID (1 to 255) has on `lo` as long as it is MASTER. */
export const witnessAddress = (vrid: number): string => `127.84.0.${vrid}`;

/**
 * Finds out when keepalived's lines and its addresses disagree. keepalived writes a line once, and never knows whether it
 * was read: a full pipe or a second reader loses it, and a reload doesn't repeat MASTER. But it adds an instance's address
 * before it says MASTER and removes it before it says anything else (vrrp_state_become_master, vrrp_state_leave_master), so
 * the kernel's list of addresses tells at any time what the lines tell once. A restarted keepalived removes what a killed
 * one has left before it says BACKUP. Pure: it is told everything.
 */
export class Witness {
  readonly #marks: readonly Mark[];
  #alive = false;

  /** @param groups with the address of each and, where one is known, the last word */
  constructor(groups: readonly { group: string; address: string; word?: string | undefined }[]) {
    this.#marks = groups.map(({ group, address, word }) => ({
      group,
      address,
      word,
      seen: false,
      contradicted: 0,
    }));
  }

  /** A writer of the FIFO has come or gone. Without one, addresses say nothing: those of a killed keepalived stay. */
  writer(present: boolean): void {
    this.#alive = present;
    for (const mark of this.#marks) {
      // The next one's states are its own; one that has only read its configuration again repeats all but MASTER.
      mark.word = present ? mark.word : undefined;
      mark.seen = false;
      mark.contradicted = 0;
    }
  }

  /** A line was read. */
  heard(group: string, word: KeepalivedWord): void {
    for (const mark of this.#marks.filter((candidate) => candidate.group === group)) {
      mark.word = word;
      mark.contradicted = 0;
    }
  }

  /** What the addresses of this node have now contradicted for long enough; each counts as the last word from then on. */
  look(local: ReadonlySet<string>): readonly Correction[] {
    return this.#alive ? this.#marks.flatMap((mark) => judge(mark, local.has(mark.address))) : [];
  }
}

interface Mark {
  readonly group: string;
  readonly address: string;
  word: string | undefined;
  /** Since this writer came: a keepalived.conf written by hand may give the instance another address. */
  seen: boolean;
  contradicted: number;
}

const judge = (mark: Mark, present: boolean): readonly Correction[] => {
  mark.seen ||= present;
  const master = mark.word !== undefined && roleOf(mark.word) === 'owner';
  mark.contradicted = present !== master && mark.seen ? mark.contradicted + 1 : 0;
  if (mark.contradicted < LOOKS) {
    return [];
  }
  const { group, address, word: said } = mark;
  const word = present ? 'MASTER' : 'NOT-MASTER';
  mark.word = word;
  mark.contradicted = 0;
  return [{ group, word, address, said }];
};
