/** A line of keepalived's notify FIFO (keepalived.conf(5), vrrp_notify_fifo): `INSTANCE "fw1_fw2" MASTER 150`. */
export interface FifoLine {
  readonly group: string;
  readonly word: KeepalivedWord;
  /** Effective priority; 0 for what has none. */
  readonly priority: number;
}

const WORDS = ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED', 'MASTER_RX_LOWER_PRI'] as const;
export type KeepalivedWord = (typeof WORDS)[number];

/** What a line says, if it says something, and what of it means nothing here, if that isn't to be expected. */
export interface ParsedLine {
  readonly line?: FifoLine;
  readonly ignored?: string;
}

/**
 * Reads a line. Never throws. What somebody else has left in the FIFO without an end of line stands before keepalived's
 * own words: they count all the same, since keepalived won't repeat them.
 */
export const parseFifoLine = (text: string, groups: ReadonlySet<string>): ParsedLine => {
  const match = /(INSTANCE|GROUP) "([^"]{1,255})" ([A-Z_]{1,32})(?: (\d{1,3}))?$/.exec(text);
  if (match === null) {
    return { ignored: `not a line of keepalived's: ${show(text)}` };
  }
  const before = text.slice(0, match.index);
  const parsed = parseWords(match, groups);
  return before === '' ? parsed : { ...parsed, ignored: `not a line of keepalived's: ${show(before)}` };
};

const parseWords = (match: RegExpExecArray, groups: ReadonlySet<string>): ParsedLine => {
  const [, kind, name = '', state = '', priority = '0'] = match;
  if (kind === 'GROUP' || state.endsWith('_PRIORITY')) {
    return {};
  }
  const word = wordOf(state);
  if (word === undefined) {
    return { ignored: `unknown state ${state} of ${show(name)}` };
  }
  if (!groups.has(name)) {
    return { ignored: `${show(name)} is no group of this cluster; name the vrrp_instance after its group` };
  }
  return { line: { group: name, word, priority: Number(priority) } };
};

/** The state of that name, if it is one of keepalived's. */
export const wordOf = (state: string): KeepalivedWord | undefined =>
  WORDS.find((candidate) => candidate === state);

/** What keepalived wants this node to be in that state. */
export const roleOf = (word: string): 'owner' | 'replica' =>
  word === 'MASTER' || word === 'MASTER_RX_LOWER_PRI' ? 'owner' : 'replica';

/** In quotes, cut if long, and whatever would steer a terminal (C0, DEL, C1) written as \\u00XX. */
const show = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text).replace(
    /[\x7f-\x9f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
