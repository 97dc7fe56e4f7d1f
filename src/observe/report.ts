/** One thing that a report tells, or why it can't. */
export interface Entry {
  readonly label: string;
  /** May have several lines. */
  readonly text: string;
}

export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
}

/** A report as plain text for a mail: short entries in columns, longer ones below their label. */
export const reportText = (head: string, sections: readonly Section[]): string =>
  [head, ...sections.flatMap(({ title, entries }) => ['', title, ...entriesText(entries)])].join('\n');

/** What `read` gives; if it fails, why: a report tells what it can. */
export const entryOf = async (label: string, read: () => string | Promise<string>): Promise<Entry> => {
  try {
    return { label, text: (await read()).trimEnd() };
  } catch (error) {
    return { label, text: `not read: ${error instanceof Error ? error.message : String(error)}` };
  }
};

const entriesText = (entries: readonly Entry[]): readonly string[] => {
  const width = Math.max(...entries.filter(isShort).map(({ label }) => label.length));
  return entries.flatMap((entry) =>
    isShort(entry)
      ? [`  ${entry.label.padEnd(width)}  ${entry.text}`.trimEnd()]
      : [`  ${entry.label}:`, ...entry.text.split('\n').map((line) => `    ${line}`.trimEnd())],
  );
};

const isShort = ({ text }: Entry): boolean => !text.includes('\n');
