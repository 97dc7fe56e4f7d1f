/** What stands in a section of a manual page: what each tagged paragraph is about, and its lines. */
export type Entries = ReadonlyMap<string, readonly string[]>;

/** The sections and subsections of a page in man(7), by their headings as they are on paper. */
export const sectionsOf = (page: string): ReadonlyMap<string, Entries> =>
  new Map(
    page
      .split(/^\.S[HS] /m)
      .slice(1)
      .map((section) => {
        const [heading = '', ...lines] = section.split('\n').map(onPaper);
        return [heading.slice(1, -1), entriesOf(lines)];
      }),
  );

const entriesOf = (lines: readonly string[]): Entries => {
  const entries = new Map<string, string[]>();
  let entry: string[] | undefined;
  for (const [index, line] of lines.entries()) {
    if (lines[index - 1] === '.TP') {
      entry = [];
      entries.set(line, entry);
    } else if (/^\.(?!br)/.test(line)) {
      entry = undefined;
    } else {
      entry?.push(line);
    }
  }
  return entries;
};

/** Without fonts and with plain characters. */
const onPaper = (line: string): string =>
  line
    .replace(/\\f[RBI]|\\[%&]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\(dq', '"')
    .replaceAll('\\(aq', "'")
    .replaceAll('\\e', '\\');
