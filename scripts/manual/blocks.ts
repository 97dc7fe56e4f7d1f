/** A piece of a Markdown text, as far as docs/ uses Markdown. Texts are of one line, with what is inline still in them. */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'item'; readonly text: string }
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

/** The blocks of a Markdown text, in order: headings, paragraphs, bullet points, code, tables. */
export const blocksOf = (markdown: string): readonly Block[] => {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  let at = 0;
  /** Takes the lines from here on that `belongs` accepts. */
  const take = (belongs: (line: string) => boolean): readonly string[] => {
    const from = at;
    while (at < lines.length && belongs(lines[at] ?? '')) {
      at += 1;
    }
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const heading = /^(#+) +(.*)$/.exec(line);
    if (line === '') {
      at += 1;
    } else if (heading !== null) {
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, text: heading[2] ?? '' });
      at += 1;
    } else if (line.startsWith('```')) {
      at += 1;
      blocks.push({ kind: 'code', lines: take((next) => next !== '```') });
      at += 1;
    } else if (isIndented(line)) {
      blocks.push({ kind: 'code', lines: take(isIndented).map((next) => next.slice(4)) });
    } else if (line.startsWith('|')) {
      const [head = [], , ...rows] = take((next) => next.startsWith('|')).map(cellsOf);
      blocks.push({ kind: 'table', head, rows });
    } else if (isItem(line)) {
      at += 1;
      const rest = take((next) => next !== '' && !isItem(next));
      blocks.push({ kind: 'item', text: joined([line.slice(2), ...rest]) });
    } else {
      at += 1;
      const rest = take((next) => next !== '' && !isItem(next) && !/^(#|```|\|)/.test(next));
      blocks.push({ kind: 'paragraph', text: joined([line, ...rest]) });
    }
  }
  return blocks;
};

const isItem = (line: string): boolean => line.startsWith('* ');

const isIndented = (line: string): boolean => line.startsWith('    ');

const joined = (lines: readonly string[]): string => lines.map((line) => line.trim()).join(' ');

const cellsOf = (line: string): readonly string[] =>
  line
    .replace(/^\||\|\s*$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
