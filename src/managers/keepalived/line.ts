/** A line of keepalived's notify FIFO (keepalived.conf(5), vrrp_notify_fifo): `INSTANCE "fw1_fw2" MASTER 150`. */
export interface FifoLine {
  readonly group: string;
  readonly word: KeepalivedWord;
  /** Effective priority; 0 for what has none. */
  readonly priority: number;
}

const WORDS = ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED', 'MASTER_RX_LOWER_PRI'] as const;
export type KeepalivedWord = (typeof WORDS)[number];

/** What a line means, or why it means nothing here. Never throws. */
export const parseFifoLine = (
  line: string,
  groups: ReadonlySet<string>,
): { readonly line: FifoLine } | { readonly ignored: string } => {
  const match = /^(INSTANCE|GROUP) "([^"]{1,255})" ([A-Z_]{1,32})(?: (\d{1,3}))?$/.exec(line);
  const [, kind, name = '', state = '', priority = '0'] = match ?? [];
  if (kind === undefined) {
    return { ignored: `not a line of keepalived's: ${show(line)}` };
  }
  if (kind === 'GROUP' || state.endsWith('_PRIORITY')) {
    return { ignored: '' };
  }
  const word = WORDS.find((candidate) => candidate === state);
  if (word === undefined) {
    return { ignored: `unknown state ${state} of ${name}` };
  }
  if (!groups.has(name)) {
    return { ignored: `"${name}" is no group of this cluster; name the vrrp_instance after its group` };
  }
  return { line: { group: name, word, priority: Number(priority) } };
};

/** What keepalived wants this node to be in that state. */
export const roleOf = (word: KeepalivedWord): 'owner' | 'replica' =>
  word === 'MASTER' || word === 'MASTER_RX_LOWER_PRI' ? 'owner' : 'replica';

const show = (line: string): string => JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}...` : line);
